// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.fory.Fory;
import org.apache.fory.config.ForyBuilder;
import org.apache.fory.logging.LoggerFactory;
import org.jspecify.annotations.Nullable;

/** What the tests of Fory's codecs carry. */
final class ForySamples {

    static {
        LoggerFactory.disableLogging(); // it prints each Fory that is made
    }

    private ForySamples() {}

    /** Has Fory's own thread, which lives as long as its classes, begin before a test looks at threads. */
    static void begin() {
        Way.COMPILED.fory().serialize(line(1));
    }

    enum Colour {
        RED,
        BLUE
    }

    record Line(
            String text,
            int number,
            long big,
            double exact,
            Colour colour,
            List<Integer> numbers,
            Map<String, Long> scores) {}

    /** Of classes, as records have no cycles. */
    static final class Node {
        String name = "";

        @Nullable
        Node next;

        List<Node> more = new ArrayList<>();
    }

    /** Every kind of array, and what else Fory gives out of band. */
    static final class Blobs {
        byte[] bytes = {};
        boolean[] booleans = {};
        char[] chars = {};
        short[] shorts = {};
        int[] ints = {};
        long[] longs = {};
        float[] floats = {};
        double[] doubles = {};
        ByteBuffer buffer = ByteBuffer.allocate(0);
        String tail = "";

        static Blobs of(int length) {
            Blobs blobs = new Blobs();
            blobs.bytes = new byte[length];
            blobs.booleans = new boolean[length];
            blobs.chars = new char[length];
            blobs.shorts = new short[length];
            blobs.ints = new int[length];
            blobs.longs = new long[length];
            blobs.floats = new float[length];
            blobs.doubles = new double[length];
            blobs.buffer = ByteBuffer.allocate(length);
            for (int i = 0; i < length; i++) {
                blobs.bytes[i] = (byte) i;
                blobs.booleans[i] = i % 3 == 0;
                blobs.chars[i] = (char) i;
                blobs.shorts[i] = (short) i;
                blobs.ints[i] = i * 31;
                blobs.longs[i] = (i * 31L) << 20;
                blobs.floats[i] = i / 8f;
                blobs.doubles[i] = i / 8d;
                blobs.buffer.put(i, (byte) -i);
            }
            blobs.tail = "behind " + length;
            return blobs;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Blobs that
                    && Arrays.equals(bytes, that.bytes)
                    && Arrays.equals(booleans, that.booleans)
                    && Arrays.equals(chars, that.chars)
                    && Arrays.equals(shorts, that.shorts)
                    && Arrays.equals(ints, that.ints)
                    && Arrays.equals(longs, that.longs)
                    && Arrays.equals(floats, that.floats)
                    && Arrays.equals(doubles, that.doubles)
                    && buffer.equals(that.buffer)
                    && buffer.order() == that.buffer.order()
                    && tail.equals(that.tail);
        }

        @Override
        public int hashCode() {
            return Objects.hash(tail);
        }
    }

    record Unknown(int id) {}

    /** How Fory is built. */
    enum Way {
        COMPILED,
        INTERPRETED,
        REFERENCES,
        COMPATIBLE,
        MANY_LANGUAGES;

        Fory fory() {
            ForyBuilder builder = Fory.builder()
                    .withXlang(this == MANY_LANGUAGES)
                    .withCompatible(this == COMPATIBLE || this == MANY_LANGUAGES)
                    .requireClassRegistration(true)
                    .withRefTracking(this == REFERENCES)
                    .withCodegen(this != INTERPRETED);
            Fory fory = builder.build();
            fory.register(Colour.class, 300);
            fory.register(Line.class, 301);
            fory.register(Node.class, 302);
            if (this != MANY_LANGUAGES) {
                fory.register(Blobs.class, 303); // char[] is not for many languages
            }
            return fory;
        }
    }

    static Line line(int id) {
        Map<String, Long> scores = new LinkedHashMap<>();
        for (int i = 0; i < id % 4; i++) {
            scores.put("score " + i, (long) id * i);
        }
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < id % 5; i++) {
            numbers.add(id - i);
        }
        String text = "line \u00e4 " + id + (id % 7 == 0 ? " \u4e2d\u6587" : "");
        return new Line(text, id, 1L << id % 60, id / 8d, id % 3 == 0 ? Colour.RED : Colour.BLUE, numbers, scores);
    }

    static List<Line> lines(int count) {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(line(i));
        }
        return lines;
    }

    static <E> List<E> drained(java.util.Iterator<E> elements) {
        List<E> all = new ArrayList<>();
        elements.forEachRemaining(all::add);
        return all;
    }
}
