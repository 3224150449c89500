// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;

/** LEB128: seven bits a byte, lowest first, the top bit set on all but the last byte. */
final class Varint {

    static final int MAX_LONG_BYTES = 10;

    private Varint() {}

    static int length(long value) {
        return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
    }

    /** Returns where the byte behind it goes. */
    static int put(byte[] array, int from, long value) {
        int at = from;
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            array[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        array[at] = (byte) rest;
        return at + 1;
    }

    /** The value whose first byte has its top bit set. One value has one form: a last byte of 0 is refused. */
    static long rest(WireInput in, byte first, int bits) throws IOException {
        long value = first & 0x7F;
        for (int shift = 7; shift < bits; shift += 7) {
            byte next = in.readByte();
            long part = next & 0x7F;
            if (bits - shift < 7 && (part >>> (bits - shift)) != 0) {
                break;
            }
            value |= part << shift;
            if (next >= 0) {
                if (next == 0) {
                    throw in.malformed("overlong varint", in.position() - 1);
                }
                return value;
            }
        }
        throw in.malformed("varint of more than " + bits + " bits", in.position() - 1);
    }
}
