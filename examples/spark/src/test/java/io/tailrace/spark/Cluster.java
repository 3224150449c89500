// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A Spark application on this JVM, with executors in JVMs of their own, all with the jar as users have it.
 *
 * <p>Closing it fails when a value was not claimed, or a chunk is out.
 */
final class Cluster implements AutoCloseable {

    static final String TWO_EXECUTORS = "local-cluster[2,1,1024]";

    private final JavaSparkContext spark;
    private final Receiver receiver;

    private Cluster(SparkConf conf) {
        spark = new JavaSparkContext(new SparkContext(conf));
        receiver = Ends.receiver();
    }

    /** What a user sets, and what keeps a test to itself. */
    static SparkConf conf(String master) {
        return new SparkConf(false)
                .setMaster(master)
                .setAppName("tailrace")
                .set("spark.plugins", TailracePlugin.class.getName())
                .set("spark.serializer", TailraceSerializer.class.getName())
                .set(
                        "spark.executor.extraClassPath",
                        System.getProperty("tailrace.spark.jar") + ":" + System.getProperty("tailrace.spark.tests"))
                .set("spark.executor.memory", "512m")
                .set("spark.testing.reservedMemory", "16777216")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.ui.enabled", "false")
                .set("spark.local.dir", System.getProperty("java.io.tmpdir"))
                .set("spark.task.maxFailures", "4")
                .set("spark.deploy.maxExecutorRetries", "3");
    }

    static Cluster start(SparkConf conf) {
        return new Cluster(conf);
    }

    static Cluster start() {
        return start(conf(TWO_EXECUTORS));
    }

    JavaSparkContext spark() {
        return spark;
    }

    Receiver receiver() {
        return Objects.requireNonNull(receiver, "the plugin is inert");
    }

    long received() {
        return receiver().meters().received().getCount();
    }

    /** What all executors have counted. */
    Counts executors() {
        List<Counts> each = new ArrayList<>();
        int executors = 2;
        // Each task waits a little, so that no executor takes two.
        spark.parallelize(IntStream.range(0, executors).boxed().toList(), executors)
                .map(index -> {
                    Thread.sleep(300);
                    return Counts.here();
                })
                .collect()
                .forEach(counts -> {
                    if (each.stream().noneMatch(known -> known.process() == counts.process())) {
                        each.add(counts);
                    }
                });
        return each.stream().reduce(new Counts(0, 0, 0, 0, 0, 0), Counts::plus);
    }

    /** Waits for what Spark's listener bus tells late. */
    void settle() {
        for (int i = 0; i < 200 && receiver().arrivals().unclaimed() > 0; i++) {
            LockSupport.parkNanos(50_000_000);
        }
        assertEquals(0, receiver().arrivals().unclaimed(), "values that nobody claimed");
    }

    @Override
    public void close() {
        try {
            if (receiver != null) {
                settle();
            }
        } finally {
            spark.close();
        }
        if (receiver != null) {
            assertEquals(0, receiver.pool().liveBytes(), receiver.pool().report());
        }
    }
}
