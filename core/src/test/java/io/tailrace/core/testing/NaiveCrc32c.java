// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

/** CRC32C by the table of one byte, from its parameters alone. */
public final class NaiveCrc32c {

    private static final int REFLECTED_POLYNOMIAL = 0x82F63B78;
    private static final int[] TABLE = table();

    private NaiveCrc32c() {}

    public static int of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    public static int of(byte[] bytes, int offset, int length) {
        int crc = -1;
        for (int i = offset; i < offset + length; i++) {
            crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xFF];
        }
        return ~crc;
    }

    private static int[] table() {
        int[] table = new int[256];
        for (int i = 0; i < 256; i++) {
            int crc = i;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) != 0 ? (crc >>> 1) ^ REFLECTED_POLYNOMIAL : crc >>> 1;
            }
            table[i] = crc;
        }
        return table;
    }
}
