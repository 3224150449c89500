// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.apache.spark.api.java.JavaRDD;

/**
 * One collect, to be run any number of times.
 *
 * @param elements what {@code forEach} takes
 * @param weight of an element
 * @param total of the weights, by which a result is known to be whole
 * @param large whether the plugin sends each of its results
 */
record Work<T>(JavaRDD<T> elements, Supplier<List<T>> collect, ToLongFunction<T> weight, long total, boolean large) {

    /** Returns the nanoseconds until the result was there. */
    long run(Way way) {
        long before = received();
        long[] sum = new long[1];
        long start = System.nanoTime();
        long nanos;
        if (way == Way.FOR_EACH) {
            StreamingCollect.forEach(elements, element -> sum[0] += weight.applyAsLong(element));
            nanos = System.nanoTime() - start;
        } else {
            List<T> all = collect.get();
            nanos = System.nanoTime() - start;
            all.forEach(element -> sum[0] += weight.applyAsLong(element));
        }
        if (sum[0] != total) {
            throw new IllegalStateException(sum[0] + " in place of " + total);
        }
        if ((way == Way.TAILRACE || way == Way.SLICES) && large && received() - before != elements.getNumPartitions()) {
            throw new IllegalStateException("some results went Spark's own way");
        }
        return nanos;
    }

    private static long received() {
        Receiver receiver = Ends.receiver();
        return receiver == null ? 0 : receiver.meters().received().getCount();
    }
}
