// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Finds the smallest heaps, in steps of 32 MiB, in which one collect succeeds: each try in fresh JVMs, one executor with one core.
 * {@code examples/spark/heap-floor} runs it.
 */
final class HeapFloor {

    private static final int STEP = 32;
    private static final int AMPLE = 2048;
    /** A JVM that is short of heap may go on for long. */
    private static final long LIMIT_SECONDS = 90;

    /** How the result comes home. */
    enum Way {
        STOCK,
        TAILRACE,
        /** {@link Settings#SLICE_ARRAYS}. */
        SLICES,
        FOR_EACH
    }

    /** What it is. */
    enum Load {
        /** 4,096 × 64 KiB. */
        BLOCKS,
        /** 2 million small ones. */
        OBJECTS,
        /** 16,384 × 64 KiB. */
        GIBIBYTE
    }

    /** Four numbers and a text. */
    record Small(long a, long b, double c, String text) implements java.io.Serializable {}

    private HeapFloor() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 3) {
            run(Way.valueOf(arguments[0]), Load.valueOf(arguments[1]), arguments[2]);
            return;
        }
        Load load = Load.valueOf(arguments[0]);
        System.out.println(
                "Spark " + System.getProperty("tailrace.spark.version") + ", " + load + ": least heap in MiB");
        System.out.println("| | executor | driver | seconds in ample heaps |\n|---|---|---|---|");
        List<Way> ways = arguments.length > 1 ? List.of(Way.valueOf(arguments[1])) : List.of(Way.values());
        for (Way way : ways) {
            long start = System.nanoTime();
            boolean sane = succeeds(way, load, AMPLE, AMPLE);
            double seconds = (System.nanoTime() - start) / 1e9;
            String executor = sane ? floor(heap -> succeeds(way, load, AMPLE, heap)) : "-";
            String driver = sane ? floor(heap -> succeeds(way, load, heap, AMPLE)) : "-";
            System.out.printf("| %s | %s | %s | %.0f |%n", way, executor, driver, seconds);
        }
    }

    private interface Try {
        boolean succeedsWith(int mebibytes) throws IOException, InterruptedException;
    }

    private static String floor(Try tried) throws IOException, InterruptedException {
        int fails = 0; // in steps
        int succeeds = AMPLE / STEP;
        while (succeeds - fails > 1) {
            // Low heaps are where the answer is.
            int middle = fails == 0 && succeeds == AMPLE / STEP ? 24 : (fails + succeeds) / 2;
            if (tried.succeedsWith(middle * STEP)) {
                succeeds = middle;
            } else {
                fails = middle;
            }
        }
        return String.valueOf(succeeds * STEP);
    }

    private static boolean succeeds(Way way, Load load, int driver, int executor)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx" + driver + "m"));
        command.addAll(List.of(System.getProperty("tailrace.spark.opens").trim().split("\\s+")));
        command.addAll(List.of(
                "-Dtailrace.spark.jar=" + System.getProperty("tailrace.spark.jar"),
                "-Dtailrace.spark.tests=" + System.getProperty("tailrace.spark.tests"),
                "-cp",
                System.getProperty("tailrace.spark.jar") + ":" + System.getProperty("tailrace.spark.tests") + ":"
                        + System.getenv("SPARK_HOME") + "/jars/*",
                HeapFloor.class.getName(),
                way.name(),
                load.name(),
                executor + "m"));
        File log = new File(System.getProperty("java.io.tmpdir"), "heap-floor.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .start();
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        boolean success = ended && process.exitValue() == 0;
        System.err.println(way + " " + load + " driver " + driver + "m executor " + executor + "m: " + success);
        return success;
    }

    private static void run(Way way, Load load, String executorMemory) {
        SparkConf conf = Cluster.conf("local-cluster[1,1,4096]")
                .set("spark.executor.memory", executorMemory)
                .set("spark.driver.maxResultSize", "0")
                .set("spark.task.maxFailures", "1")
                .set("spark.network.maxRemoteBlockSizeFetchToMem", "16m")
                .set(Settings.SLICE_ARRAYS, String.valueOf(way == Way.SLICES));
        if (way == Way.STOCK) {
            conf.remove("spark.plugins");
            conf.remove("spark.serializer");
        }
        int status = 1;
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            status = load == Load.OBJECTS
                    ? objects(spark, way)
                    : blocks(spark, way, load == Load.BLOCKS ? 4_096 : 16_384);
        } catch (Throwable e) {
            System.err.println(e);
        }
        Runtime.getRuntime().halt(status);
    }

    private static int blocks(JavaSparkContext spark, Way way, int number) {
        JavaRDD<byte[]> blocks = spark.parallelize(List.of(0), 1)
                .flatMap(i -> IntStream.range(0, number)
                        .mapToObj(n -> new byte[Values.BLOCK])
                        .iterator());
        long[] bytes = new long[1];
        if (way == Way.FOR_EACH) {
            StreamingCollect.forEach(blocks, block -> bytes[0] += block.length);
        } else {
            blocks.collect().forEach(block -> bytes[0] += block.length);
        }
        return bytes[0] == (long) number * Values.BLOCK ? 0 : 2;
    }

    private static int objects(JavaSparkContext spark, Way way) {
        int number = 2_000_000;
        JavaRDD<Small> objects = spark.parallelize(List.of(0), 1)
                .flatMap(i -> IntStream.range(0, number)
                        .mapToObj(n -> new Small(n, 31L * n, n / 7.0, "S" + n % 997))
                        .iterator());
        long[] sum = new long[1];
        if (way == Way.FOR_EACH) {
            StreamingCollect.forEach(objects, small -> sum[0] += small.a());
        } else {
            objects.collect().forEach(small -> sum[0] += small.a());
        }
        return sum[0] == (long) number * (number - 1) / 2 ? 0 : 2;
    }
}
