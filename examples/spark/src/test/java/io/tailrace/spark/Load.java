// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** What is collected. */
enum Load {
    /** 4,096 × 64 KiB of one task. */
    BLOCKS,
    /** 2 million small ones of one task. */
    OBJECTS,
    /** TPC-H's {@code lineitem} as objects. */
    LINEITEM,
    /** The same as a dataset of rows. */
    LINEITEM_ROWS,
    /** 2,000 × 1 KiB of as many tasks. */
    SMALL,
    /** 16,384 × 64 KiB of one task. */
    GIBIBYTE;

    private static final int OBJECT_NUMBER = 2_000_000;
    private static final int SMALL_NUMBER = 2_000;

    /** Four numbers and a text. */
    private record Small(long a, long b, double c, String text) implements Serializable {}

    /**
     * Nothing runs yet.
     *
     * @param tasks of a table
     * @param kept a table is made before its first collect and kept by the executors
     */
    Work<?> work(JavaSparkContext spark, int tasks, boolean kept) {
        return switch (this) {
            case BLOCKS -> blocks(spark, 4_096);
            case GIBIBYTE -> blocks(spark, 16_384);
            case OBJECTS -> objects(spark);
            case LINEITEM -> {
                JavaRDD<LineItemRow> rows = numbers(spark, tasks).flatMap(task -> LineItemRow.part(task, tasks));
                yield collect(keep(rows, kept), row -> 1, LineItemRow.NUMBER);
            }
            case LINEITEM_ROWS -> rows(spark, tasks, kept);
            case SMALL -> {
                JavaRDD<byte[]> small = numbers(spark, SMALL_NUMBER).map(task -> new byte[1024]);
                yield new Work<>(small, small::collect, block -> block.length, 1024L * SMALL_NUMBER, false);
            }
        };
    }

    private static JavaRDD<Integer> numbers(JavaSparkContext spark, int tasks) {
        return spark.parallelize(IntStream.range(0, tasks).boxed().toList(), tasks);
    }

    private static <T> JavaRDD<T> keep(JavaRDD<T> rdd, boolean kept) {
        if (kept) {
            rdd.cache().count();
        }
        return rdd;
    }

    private static <T> Work<T> collect(JavaRDD<T> rdd, ToLongFunction<T> weight, long total) {
        return new Work<>(rdd, rdd::collect, weight, total, true);
    }

    private static Work<byte[]> blocks(JavaSparkContext spark, int number) {
        JavaRDD<byte[]> blocks = numbers(spark, 1)
                .flatMap(task -> IntStream.range(0, number)
                        .mapToObj(n -> new byte[Values.BLOCK])
                        .iterator());
        return collect(blocks, block -> block.length, (long) number * Values.BLOCK);
    }

    private static Work<Small> objects(JavaSparkContext spark) {
        JavaRDD<Small> objects = numbers(spark, 1)
                .flatMap(task -> IntStream.range(0, OBJECT_NUMBER)
                        .mapToObj(n -> new Small(n, 31L * n, n / 7.0, "S" + n % 997))
                        .iterator());
        return collect(objects, Small::a, (long) OBJECT_NUMBER * (OBJECT_NUMBER - 1) / 2);
    }

    private static Work<Row> rows(JavaSparkContext spark, int tasks, boolean kept) {
        SparkSession session = SparkSession.builder().getOrCreate();
        JavaRDD<Row> rows = numbers(spark, tasks)
                .flatMap(task -> LineItemRow.part(task, tasks))
                .map(LineItemRow::toRow);
        Dataset<Row> table = session.createDataFrame(keep(rows, kept), StructType.fromDDL(LineItemRow.SCHEMA));
        return new Work<>(
                table.toJavaRDD(), () -> Arrays.asList((Row[]) table.collect()), row -> 1, LineItemRow.NUMBER, true);
    }
}
