// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes arrays of primitives in runs that fill the region, each by one bulk copy of the JDK through a view that is kept; a few
 * elements one by one, which is faster then.
 */
final class BulkWriter {

    static final int FEW = 16;

    private final WireOutput out;
    private @Nullable SlabViews<ShortBuffer> shortViews;
    private @Nullable SlabViews<CharBuffer> charViews;
    private @Nullable SlabViews<IntBuffer> intViews;
    private @Nullable SlabViews<LongBuffer> longViews;
    private @Nullable SlabViews<FloatBuffer> floatViews;
    private @Nullable SlabViews<DoubleBuffer> doubleViews;

    BulkWriter(WireOutput out) {
        this.out = out;
    }

    /** How many of the elements left fit the region. */
    private int run(int left, int width) {
        return Math.min(left, (out.limit() - out.offset()) / width);
    }

    /** Where the region goes on, in elements behind the phase. */
    private int index(int width) {
        return out.offset() / width;
    }

    private int phase(int width) {
        return out.offset() % width;
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
                viewShorts().put(index(Short.BYTES), source, at, run);
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
                viewChars().put(index(Character.BYTES), source, at, run);
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
                viewInts().put(index(Integer.BYTES), source, at, run);
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
                viewLongs().put(index(Long.BYTES), source, at, run);
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
                viewFloats().put(index(Float.BYTES), source, at, run);
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
                viewDoubles().put(index(Double.BYTES), source, at, run);
                out.commit(out.offset() + run * Double.BYTES);
                at += run;
            }
        }
    }

    private ShortBuffer viewShorts() {
        if (shortViews == null) {
            shortViews = new SlabViews<>(ByteBuffer::asShortBuffer);
        }
        return shortViews.of(out.array(), phase(Short.BYTES));
    }

    private CharBuffer viewChars() {
        if (charViews == null) {
            charViews = new SlabViews<>(ByteBuffer::asCharBuffer);
        }
        return charViews.of(out.array(), phase(Character.BYTES));
    }

    private IntBuffer viewInts() {
        if (intViews == null) {
            intViews = new SlabViews<>(ByteBuffer::asIntBuffer);
        }
        return intViews.of(out.array(), phase(Integer.BYTES));
    }

    private LongBuffer viewLongs() {
        if (longViews == null) {
            longViews = new SlabViews<>(ByteBuffer::asLongBuffer);
        }
        return longViews.of(out.array(), phase(Long.BYTES));
    }

    private FloatBuffer viewFloats() {
        if (floatViews == null) {
            floatViews = new SlabViews<>(ByteBuffer::asFloatBuffer);
        }
        return floatViews.of(out.array(), phase(Float.BYTES));
    }

    private DoubleBuffer viewDoubles() {
        if (doubleViews == null) {
            doubleViews = new SlabViews<>(ByteBuffer::asDoubleBuffer);
        }
        return doubleViews.of(out.array(), phase(Double.BYTES));
    }
}
