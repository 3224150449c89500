// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.apache.fory.Fory;
import org.apache.fory.config.Config;
import org.apache.fory.context.CopyContext;
import org.apache.fory.context.ReadContext;
import org.apache.fory.context.WriteContext;
import org.apache.fory.memory.MemoryBuffer;
import org.apache.fory.serializer.BufferObject;
import org.apache.fory.serializer.BufferSerializers;
import org.apache.fory.serializer.PrimitiveArraySerializers;
import org.apache.fory.serializer.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Stands in for Fory's own of arrays of primitives and of {@code ByteBuffer}s, with the same bytes. Fory's gives a big array out
 * as a copy only, and its {@code ByteBuffer}s refer to the memory that they were read from, which here is a chunk.
 */
final class ArraySerializer<T> extends Serializer<T> {

    /** From here on an array goes behind its element. */
    static final int BIG_BYTES = 8 << 10;

    private static final List<Class<?>> REPLACED = List.of(
            byte[].class,
            boolean[].class,
            char[].class,
            short[].class,
            int[].class,
            long[].class,
            float[].class,
            double[].class,
            ByteBuffer.allocate(0).getClass(),
            ByteBuffer.allocateDirect(0).getClass());

    private final Serializer<T> own;
    private final @Nullable Runnable unasked;

    private ArraySerializer(Config config, Class<T> type, Serializer<T> own, @Nullable Runnable unasked) {
        super(config, type);
        this.own = own;
        this.unasked = unasked;
    }

    /**
     * Replaces them where they are Fory's; returns whether what is read then refers to no memory that it was read from. For many
     * languages it stays as it is: there several classes share a number.
     *
     * @param unasked told of a big array that could not go behind its element, which then is void
     */
    static boolean replaceFor(Fory fory, @Nullable Runnable unasked) {
        if (fory.getConfig().isXlang()) {
            return false;
        }
        for (Class<?> type : REPLACED) {
            replace(fory, type, unasked);
        }
        return fory.getConfig().requireClassRegistration(); // or else there are more kinds of ByteBuffer
    }

    private static <T> void replace(Fory fory, Class<T> type, @Nullable Runnable unasked) {
        Serializer<T> own = fory.getSerializer(type);
        if (own instanceof PrimitiveArraySerializers.PrimitiveArraySerializer
                || own instanceof BufferSerializers.ByteBufferSerializer) {
            fory.registerSerializer(type, new ArraySerializer<>(fory.getConfig(), type, own, unasked));
        }
    }

    private static int bytes(Object value) {
        if (value instanceof ByteBuffer buffer) {
            return buffer.remaining() + 1;
        }
        long width = value instanceof long[] || value instanceof double[]
                ? Long.BYTES
                : value instanceof int[] || value instanceof float[]
                        ? Integer.BYTES
                        : value instanceof short[] || value instanceof char[] ? Short.BYTES : 1;
        return (int) Math.min(Integer.MAX_VALUE, width * Array.getLength(value));
    }

    @Override
    public void write(WriteContext context, T value) {
        int bytes = bytes(value);
        if (unasked == null || bytes < BIG_BYTES || bytes == Integer.MAX_VALUE) {
            own.write(context, value);
        } else if (context.getBufferCallback() == null) {
            unasked.run();
        } else {
            context.writeBufferObject(new Big(value, bytes));
        }
    }

    @Override
    public T read(ReadContext context) {
        if (context.isPeerOutOfBandEnabled() && type == byte[].class) {
            return type.cast(readBytes(context));
        }
        T read = own.read(context);
        return read instanceof ByteBuffer buffer ? type.cast(detached(buffer, context)) : read;
    }

    /** As they came, when they came behind: that array is nobody else's. */
    private static byte[] readBytes(ReadContext context) {
        MemoryBuffer buffer = context.readBufferObject();
        int length = buffer.remaining();
        context.reserveGraphMemory(2L * Long.BYTES + length);
        return isPart(buffer.getHeapMemory(), context) ? buffer.getBytes(0, length) : buffer.getHeapMemory();
    }

    @SuppressWarnings("ReferenceEquality") // where it is
    private static boolean isPart(byte[] array, ReadContext context) {
        return array == context.getBuffer().getHeapMemory();
    }

    @SuppressWarnings("ByteBufferBackingArray") // whose it is, not what is in it
    private static ByteBuffer detached(ByteBuffer buffer, ReadContext context) {
        if (!isPart(buffer.array(), context)) {
            return buffer;
        }
        context.reserveGraphMemory((long) buffer.remaining());
        return ByteBuffer.allocate(buffer.remaining()).put(buffer).flip().order(buffer.order());
    }

    @Override
    public T copy(CopyContext context, T value) {
        return own.copy(context, value);
    }

    @Override
    public boolean readDataAlwaysAdvances() {
        return own.readDataAlwaysAdvances();
    }

    /** What is written behind an element, as it is. */
    record Big(Object value, int totalBytes) implements BufferObject {

        void writeTo(WireOutput out) throws IOException {
            if (value instanceof byte[] bytes) {
                out.writeOutOfBand(bytes, 0, bytes.length);
            } else if (value instanceof ByteBuffer buffer) {
                out.writeOutOfBand(buffer.duplicate());
                out.writeBoolean(buffer.order() == ByteOrder.BIG_ENDIAN);
            } else if (value instanceof long[] longs) {
                out.writeLongs(longs, 0, longs.length);
            } else if (value instanceof double[] doubles) {
                out.writeDoubles(doubles, 0, doubles.length);
            } else if (value instanceof int[] ints) {
                out.writeInts(ints, 0, ints.length);
            } else if (value instanceof float[] floats) {
                out.writeFloats(floats, 0, floats.length);
            } else if (value instanceof short[] shorts) {
                out.writeShorts(shorts, 0, shorts.length);
            } else if (value instanceof char[] chars) {
                out.writeChars(chars, 0, chars.length);
            } else {
                boolean[] booleans = (boolean[]) value;
                out.writeBooleans(booleans, 0, booleans.length);
            }
        }

        @Override
        public void writeTo(MemoryBuffer buffer) {
            throw new UnsupportedOperationException("a big array is never written into its element");
        }

        @Override
        public MemoryBuffer toBuffer() {
            throw new UnsupportedOperationException("a big array is never copied");
        }
    }
}
