// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Plain loads and stores in a region's memory, lowest byte first; what derived codecs are made of. */
final class Bytes {

    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle CHARS = MethodHandles.byteArrayViewVarHandle(char[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle FLOATS =
            MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle DOUBLES =
            MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);

    private Bytes() {}

    static void put(byte[] array, int at, boolean value) {
        array[at] = (byte) (value ? 1 : 0);
    }

    static void put(byte[] array, int at, byte value) {
        array[at] = value;
    }

    static void put(byte[] array, int at, short value) {
        SHORTS.set(array, at, value);
    }

    static void put(byte[] array, int at, char value) {
        CHARS.set(array, at, value);
    }

    static void put(byte[] array, int at, int value) {
        INTS.set(array, at, value);
    }

    static void put(byte[] array, int at, long value) {
        LONGS.set(array, at, value);
    }

    /** The bits as they are: a NaN keeps its payload. */
    static void put(byte[] array, int at, float value) {
        INTS.set(array, at, Float.floatToRawIntBits(value));
    }

    /** The bits as they are: a NaN keeps its payload. */
    static void put(byte[] array, int at, double value) {
        LONGS.set(array, at, Double.doubleToRawLongBits(value));
    }

    static byte getByte(byte[] array, int at) {
        return array[at];
    }

    static short getShort(byte[] array, int at) {
        return (short) SHORTS.get(array, at);
    }

    static char getChar(byte[] array, int at) {
        return (char) CHARS.get(array, at);
    }

    static int getInt(byte[] array, int at) {
        return (int) INTS.get(array, at);
    }

    static long getLong(byte[] array, int at) {
        return (long) LONGS.get(array, at);
    }

    static float getFloat(byte[] array, int at) {
        return (float) FLOATS.get(array, at);
    }

    static double getDouble(byte[] array, int at) {
        return (double) DOUBLES.get(array, at);
    }
}
