// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Writes arrays of primitives in runs that fill the region, each by one bulk copy of the JDK; a few elements one by one, which
 * is faster then and makes no view that the compiler might fail to remove.
 */
final class BulkWriter {

    static final int FEW = 16;

    private final WireOutput out;

    BulkWriter(WireOutput out) {
        this.out = out;
    }

    /** How many of the elements left fit the region. */
    private int run(int left, int width) {
        return Math.min(left, (out.limit() - out.offset()) / width);
    }

    private ByteBuffer region() {
        return ByteBuffer.wrap(out.array(), out.offset(), out.limit() - out.offset())
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    void booleans(boolean[] source, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, source.length);
        for (int i = from; i < from + count; i++) {
            out.writeBoolean(source[i]);
        }
    }

    void shorts(short[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Short.BYTES);
            if (run <= FEW) {
                out.writeShort(source[at++]);
            } else {
                region().asShortBuffer().put(source, at, run);
                out.commit(out.offset() + run * Short.BYTES);
                at += run;
            }
        }
    }

    void chars(char[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Character.BYTES);
            if (run <= FEW) {
                out.writeChar(source[at++]);
            } else {
                region().asCharBuffer().put(source, at, run);
                out.commit(out.offset() + run * Character.BYTES);
                at += run;
            }
        }
    }

    void ints(int[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Integer.BYTES);
            if (run <= FEW) {
                out.writeInt(source[at++]);
            } else {
                region().asIntBuffer().put(source, at, run);
                out.commit(out.offset() + run * Integer.BYTES);
                at += run;
            }
        }
    }

    void longs(long[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Long.BYTES);
            if (run <= FEW) {
                out.writeLong(source[at++]);
            } else {
                region().asLongBuffer().put(source, at, run);
                out.commit(out.offset() + run * Long.BYTES);
                at += run;
            }
        }
    }

    void floats(float[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Float.BYTES);
            if (run <= FEW) {
                out.writeFloat(source[at++]);
            } else {
                region().asFloatBuffer().put(source, at, run);
                out.commit(out.offset() + run * Float.BYTES);
                at += run;
            }
        }
    }

    void doubles(double[] source, int from, int count) throws IOException {
        int at = Objects.checkFromIndexSize(from, count, source.length);
        int end = from + count;
        while (at < end) {
            int run = run(end - at, Double.BYTES);
            if (run <= FEW) {
                out.writeDouble(source[at++]);
            } else {
                region().asDoubleBuffer().put(source, at, run);
                out.commit(out.offset() + run * Double.BYTES);
                at += run;
            }
        }
    }
}
