// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;

/**
 * Reads arrays of primitives in runs as long as the region allows, each by one bulk copy of the JDK; a few elements, and one
 * that straddles two regions, one by one. An array whose count came with the payload begins small and doubles each time it is
 * full, so what is allocated never runs far ahead of what has arrived.
 */
final class BulkReader {

    private final WireInput in;

    BulkReader(WireInput in) {
        this.in = in;
    }

    /** How many of the elements left lie whole in the region. */
    private int run(int left, int width) {
        return Math.min(left, (in.limit() - in.offset()) / width);
    }

    private ByteBuffer region() {
        return ByteBuffer.wrap(in.array(), in.offset(), in.limit() - in.offset())
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The next length of an array that is full at {@code length} and shall reach {@code count}. */
    private static int longer(int length, int count) {
        return (int) Math.min(count, 2L * length);
    }

    byte[] bytes(int count) throws IOException {
        byte[] array = new byte[in.claim(count, 1)];
        in.readBytes(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            in.readBytes(array, full, array.length - full);
        }
        return array;
    }

    void booleans(boolean[] target, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, target.length);
        for (int i = from; i < from + count; i++) {
            target[i] = in.readBoolean();
        }
    }

    boolean[] booleans(int count) throws IOException {
        boolean[] array = new boolean[in.claim(count, 1)];
        booleans(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            booleans(array, full, array.length - full);
        }
        return array;
    }

    void shorts(short[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Short.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readShort();
            } else {
                region().asShortBuffer().get(target, at, run);
                in.commit(in.offset() + run * Short.BYTES);
                at += run;
            }
        }
    }

    short[] shorts(int count) throws IOException {
        short[] array = new short[in.claim(count, Short.BYTES)];
        shorts(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            shorts(array, full, array.length - full);
        }
        return array;
    }

    void chars(char[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Character.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readChar();
            } else {
                region().asCharBuffer().get(target, at, run);
                in.commit(in.offset() + run * Character.BYTES);
                at += run;
            }
        }
    }

    char[] chars(int count) throws IOException {
        char[] array = new char[in.claim(count, Character.BYTES)];
        chars(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            chars(array, full, array.length - full);
        }
        return array;
    }

    void ints(int[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Integer.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readInt();
            } else {
                region().asIntBuffer().get(target, at, run);
                in.commit(in.offset() + run * Integer.BYTES);
                at += run;
            }
        }
    }

    int[] ints(int count) throws IOException {
        int[] array = new int[in.claim(count, Integer.BYTES)];
        ints(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            ints(array, full, array.length - full);
        }
        return array;
    }

    void longs(long[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Long.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readLong();
            } else {
                region().asLongBuffer().get(target, at, run);
                in.commit(in.offset() + run * Long.BYTES);
                at += run;
            }
        }
    }

    long[] longs(int count) throws IOException {
        long[] array = new long[in.claim(count, Long.BYTES)];
        longs(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            longs(array, full, array.length - full);
        }
        return array;
    }

    void floats(float[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Float.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readFloat();
            } else {
                region().asFloatBuffer().get(target, at, run);
                in.commit(in.offset() + run * Float.BYTES);
                at += run;
            }
        }
    }

    float[] floats(int count) throws IOException {
        float[] array = new float[in.claim(count, Float.BYTES)];
        floats(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            floats(array, full, array.length - full);
        }
        return array;
    }

    void doubles(double[] target, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, target.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Double.BYTES);
            if (run <= BulkWriter.FEW) {
                target[at++] = in.readDouble();
            } else {
                region().asDoubleBuffer().get(target, at, run);
                in.commit(in.offset() + run * Double.BYTES);
                at += run;
            }
        }
    }

    double[] doubles(int count) throws IOException {
        double[] array = new double[in.claim(count, Double.BYTES)];
        doubles(array, 0, array.length);
        while (array.length < count) {
            int full = array.length;
            array = Arrays.copyOf(array, longer(full, count));
            doubles(array, full, array.length - full);
        }
        return array;
    }
}
