// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;

/**
 * Brings the elements of an RDD or a Dataset to the driver while executors compute them: neither side ever has a partition as a
 * whole. Wants {@link TailracePlugin} and {@link TailraceSerializer}.
 *
 * <pre>{@code
 * StreamingCollect.forEach(rdd, row -> writer.append(row));
 * try (ElementIterator<Trade> trades = StreamingCollect.iterator(rdd, ElementOrder.AS_THEY_COME)) {
 *     while (trades.hasNext()) total += trades.next().price();
 * }
 * }</pre>
 *
 * <p>All partitions that Spark runs at a time stream at a time. Each has {@code spark.tailrace.window} chunks on either side, and two
 * batches of at most 32 KiB (one element at least) decoded; a consumer that is slow makes executors wait.
 *
 * <p>A task that fails is run again by Spark. What the consumer has had of its partition is passed over then, which wants the
 * same elements in the same order: an RDD that Spark does not know to be so fails instead, unless nothing of the partition was
 * delivered yet. {@link #collect} delivers whole partitions alone and has no such limit.
 *
 * <p>Where the plugin is inert, Spark's own {@code collect} and {@code toLocalIterator} do it.
 */
public final class StreamingCollect {

    private StreamingCollect() {}

    /** All elements, in the order of partitions. They count towards {@code spark.driver.maxResultSize}. */
    public static <T> List<T> collect(JavaRDD<T> rdd) {
        Receiver receiver = Ends.receiver();
        if (receiver == null) {
            return rdd.collect();
        }
        try (Gathering<T> gathering = Gathering.whole(rdd.rdd())) {
            gathering.start(receiver);
            List<T> all = new ArrayList<>();
            while (gathering.hasNext()) {
                all.add(gathering.next());
            }
            return all;
        }
    }

    public static <T> List<T> collect(RDD<T> rdd) {
        return collect(rdd.toJavaRDD());
    }

    /** Its elements are made on the executors and go by the application's serializer. */
    public static <T> List<T> collect(Dataset<T> dataset) {
        return collect(dataset.toJavaRDD());
    }

    /** Gives each element to the consumer, on this thread, partitions mixed as they come. What the consumer throws ends the job. */
    public static <T> void forEach(JavaRDD<T> rdd, Consumer<? super T> consumer) {
        try (ElementIterator<T> elements = iterator(rdd, ElementOrder.AS_THEY_COME)) {
            elements.forEachRemaining(consumer);
        }
    }

    public static <T> void forEach(RDD<T> rdd, Consumer<? super T> consumer) {
        forEach(rdd.toJavaRDD(), consumer);
    }

    /** Its elements are made on the executors and go by the application's serializer. */
    public static <T> void forEach(Dataset<T> dataset, Consumer<? super T> consumer) {
        forEach(dataset.toJavaRDD(), consumer);
    }

    /** Begins at once. Who does not read to the end closes it, which cancels the job. */
    public static <T> ElementIterator<T> iterator(JavaRDD<T> rdd, ElementOrder order) {
        Receiver receiver = Ends.receiver();
        if (receiver == null) {
            return new StockIterator<>(rdd.toLocalIterator());
        }
        Gathering<T> gathering = Gathering.streaming(rdd.rdd(), order);
        gathering.start(receiver);
        return gathering;
    }

    public static <T> ElementIterator<T> iterator(RDD<T> rdd, ElementOrder order) {
        return iterator(rdd.toJavaRDD(), order);
    }

    /** Its elements are made on the executors and go by the application's serializer. */
    public static <T> ElementIterator<T> iterator(Dataset<T> dataset, ElementOrder order) {
        return iterator(dataset.toJavaRDD(), order);
    }
}
