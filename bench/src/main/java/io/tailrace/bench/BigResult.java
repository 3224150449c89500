// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.Codec;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One result of many elements, which its receiver decodes as they arrive and drops: neither side holds all of it.
 *
 * @param times how often it goes through the same elements
 */
record BigResult<E>(ValueCodec<Iterator<E>> codec, List<E> elements, int times) {

    /** A larger result is one of these, several times. */
    static final int TIMES = 8;

    private static final int ARRAY_BYTES = 64 << 10;

    /** Reads a payload: a reader of either kind. */
    interface Reading {
        <T> T decode(ValueCodec<T> codec) throws IOException;
    }

    /** Sends a result; returns when the receiver has decoded all of it. */
    interface Sending {
        <E> ResultSummary send(BigResult<E> result) throws Exception;
    }

    static BigResult<?> named(String workload, int mebibytes, int values) {
        return switch (workload) {
            case "long[] of 64 KiB" -> of(Codecs.LONGS, longs(mebibytes));
            case "blobs of 64 KiB" -> of(Codecs.BYTES, Arrays.asList(Workloads.blobs(mebibytes, ARRAY_BYTES)));
            case "rows" ->
                of(
                        Derivation.builder(MethodHandles.lookup()).build().of(Workloads.Row.class),
                        Arrays.asList(Workloads.rows(values)));
            default -> throw new IllegalArgumentException(workload);
        };
    }

    private static <E> BigResult<E> of(Codec<E> element, List<E> elements) {
        return new BigResult<>(Codecs.each(element), elements, TIMES);
    }

    private static List<long[]> longs(int mebibytes) {
        long[] all = Workloads.longs(mebibytes);
        int run = ARRAY_BYTES / Long.BYTES;
        return IntStream.range(0, all.length / run)
                .mapToObj(i -> Arrays.copyOfRange(all, i * run, (i + 1) * run))
                .toList();
    }

    /** The same elements, gone through once. */
    BigResult<E> once() {
        return new BigResult<>(codec, elements, 1);
    }

    Iterator<E> source() {
        return new Repeating<>(this);
    }

    /** Decodes every element. */
    void receive(Reading from) throws IOException {
        long count = 0;
        for (Iterator<E> decoded = from.decode(codec); decoded.hasNext(); decoded.next()) {
            count++;
        }
        long sent = (long) elements.size() * times;
        if (count != sent) {
            throw new IOException(count + " elements came of " + sent);
        }
    }

    /** As it is sent: headers included. */
    long wireBytes() throws IOException {
        try (Encoding plain = Encoding.plain()) {
            return plain.encoder()
                    .encode(TypedResult.ID, codec, source(), new NullSink())
                    .wireBytes();
        }
    }

    private static final class Repeating<E> implements Iterator<E> {
        private final BigResult<E> of;
        private Iterator<E> current;
        private int left;

        Repeating(BigResult<E> of) {
            this.of = of;
            this.current = of.elements.iterator();
            this.left = of.times - 1;
        }

        @Override
        public boolean hasNext() {
            return left > 0 || current.hasNext();
        }

        @Override
        public E next() {
            if (!current.hasNext() && left > 0) {
                left--;
                current = of.elements.iterator();
            }
            return current.next();
        }
    }
}
