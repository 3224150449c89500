// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkExecutorInfo;
import org.apache.spark.api.java.JavaSparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The driver of one way: runs each load that its standard input names, and prints the nanoseconds. */
final class Application {

    private static final Logger LOG = LoggerFactory.getLogger(Application.class);

    private Application() {}

    /** A way, a master, an executor's heap, and how many tasks a table has: one that has several is kept. */
    public static void main(String[] arguments) {
        int status = 1;
        try {
            run(Way.valueOf(arguments[0]), arguments[1], arguments[2], Integer.parseInt(arguments[3]));
            status = 0;
        } catch (Throwable e) {
            LOG.error("A load was not collected", e);
        } finally {
            Runtime.getRuntime().halt(status);
        }
    }

    private static void run(Way way, String master, String executorMemory, int tasks) throws Exception {
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (JavaSparkContext spark =
                new JavaSparkContext(conf(way, master).set("spark.executor.memory", executorMemory))) {
            if (way != Way.STOCK && Ends.receiver() == null) {
                throw new IllegalStateException("the plugin is inert");
            }
            if (!master.startsWith("local-cluster")) {
                awaitExecutors(spark);
            }
            Load current = null;
            Work<?> work = null;
            for (String line = asked.readLine(); line != null; line = asked.readLine()) {
                Load load = Load.valueOf(line);
                if (work == null || load != current) {
                    spark.getPersistentRDDs().values().forEach(rdd -> rdd.unpersist(true));
                    current = load;
                    work = load.work(spark, tasks, tasks > 1);
                }
                System.out.println(work.run(way));
            }
        }
    }

    /** One on either worker, before tables are laid out. */
    private static void awaitExecutors(JavaSparkContext spark) {
        Cluster.await("two executors", () -> hosts(spark).size() == 3); // the driver is one
        if (hosts(spark).stream().distinct().count() < 2) {
            throw new IllegalStateException("both executors are on one worker: try again");
        }
    }

    private static List<String> hosts(JavaSparkContext spark) {
        return Stream.of(spark.sc().statusTracker().getExecutorInfos())
                .map(SparkExecutorInfo::host)
                .toList();
    }

    private static SparkConf conf(Way way, String master) {
        SparkConf conf = Cluster.conf(master)
                .set("spark.driver.maxResultSize", "0")
                .set("spark.task.maxFailures", "1")
                .set(Settings.SLICE_ARRAYS, String.valueOf(way == Way.SLICES))
                .set("spark.executor.cores", "1")
                .set("spark.cores.max", "2")
                .set("spark.sql.warehouse.dir", System.getProperty("java.io.tmpdir") + "/warehouse")
                .set("spark.executor.extraJavaOptions", ChildJvm.region());
        if (master.startsWith("local-cluster")) {
            // The smallest executors could not begin to fetch otherwise.
            conf.set("spark.network.maxRemoteBlockSizeFetchToMem", "16m");
        }
        for (String setting : System.getProperty("tailrace.spark.conf", "").split(" ", -1)) {
            int at = setting.indexOf('=');
            if (at > 0) {
                conf.set(setting.substring(0, at), setting.substring(at + 1));
            }
        }
        if (way == Way.STOCK) {
            conf.remove("spark.plugins");
            conf.remove("spark.serializer");
        }
        return conf;
    }
}
