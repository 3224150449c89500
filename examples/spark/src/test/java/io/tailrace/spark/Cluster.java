// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * A Spark application on this JVM, with two executors in JVMs of their own, all with the jar as users have it.
 *
 * <p>Closing it fails when a value was not claimed, or a chunk is out.
 */
final class Cluster implements AutoCloseable {

    static final String TWO_EXECUTORS = "local-cluster[2,1,1024]";

    private static final long LIMIT_NANOS = 120_000_000_000L;

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

    /** What the executors have counted that are there: for a while it may be one of them. */
    Counts executors() {
        Map<Long, Counts> each = new HashMap<>();
        await("executors", () -> {
            each.clear();
            int slots = running() * spark.getConf().getInt("spark.executor.cores", 1);
            // Each task waits a little, so that no executor takes all.
            spark.parallelize(IntStream.range(0, slots).boxed().toList(), Math.max(1, slots))
                    .map(slot -> {
                        Thread.sleep(300);
                        return Counts.here();
                    })
                    .collect()
                    .forEach(counts -> each.put(counts.process(), counts));
            return !each.isEmpty() && each.size() == running();
        });
        return each.values().stream().reduce(Counts.NONE, Counts::plus);
    }

    private int running() {
        return spark.sc().statusTracker().getExecutorInfos().length - 1; // the driver is one
    }

    /** Waits until both are there. */
    void awaitExecutors() {
        await("two executors", () -> running() == 2);
    }

    /** How tasks end from now on, as Spark's listeners are told. */
    BlockingQueue<SparkListenerTaskEnd> ends() {
        BlockingQueue<SparkListenerTaskEnd> ends = new LinkedBlockingQueue<>();
        spark.sc().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd ended) {
                ends.add(ended);
            }
        });
        return ends;
    }

    static void await(String what, BooleanSupplier isSo) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() >= deadline) {
                throw new AssertionError(what); // without JUnit's help: measurements run where it is not
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Waits for what Spark's listener bus tells late. */
    void settle() {
        await("values that nobody claimed", () -> receiver().arrivals().unclaimed() == 0);
    }

    /** Of all that ran: no result is open, no value waits, and no chunk is out; nor were there ever too many. */
    void assertNothingIsLeft() {
        await("open results", () -> receiver().server().openResults() == 0);
        settle();
        Counts executors = executors();
        assertEquals(0, executors.liveBytes());
        Settings settings = Settings.of(spark.getConf());
        assertWithin(settings.executorMemory(), executors.peakLiveBytes());
        assertWithin(settings.driverMemory(), Counts.published("memory.peakLiveBytes"));
    }

    private static void assertWithin(long budget, long peak) {
        assertTrue(peak <= budget, () -> peak + " bytes of chunks, of " + budget);
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
