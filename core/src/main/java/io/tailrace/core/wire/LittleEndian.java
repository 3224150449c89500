// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Plain loads and stores of numbers in a byte array, at any offset, lowest byte first. */
final class LittleEndian {

    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    static void putShort(byte[] array, int at, short value) {
        SHORTS.set(array, at, value);
    }

    static void putInt(byte[] array, int at, int value) {
        INTS.set(array, at, value);
    }

    static void putLong(byte[] array, int at, long value) {
        LONGS.set(array, at, value);
    }

    static short getShort(byte[] array, int at) {
        return (short) SHORTS.get(array, at);
    }

    static int getInt(byte[] array, int at) {
        return (int) INTS.get(array, at);
    }

    static long getLong(byte[] array, int at) {
        return (long) LONGS.get(array, at);
    }
}
