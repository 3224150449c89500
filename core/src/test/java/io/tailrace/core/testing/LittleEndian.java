// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.ByteArrayOutputStream;

/** Little-endian fields, written one behind the other. */
final class LittleEndian {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    LittleEndian u8(int value) {
        return number(value, 1);
    }

    LittleEndian u16(int value) {
        return number(value, 2);
    }

    LittleEndian u32(long value) {
        return number(value, 4);
    }

    LittleEndian u64(long value) {
        return number(value, 8);
    }

    LittleEndian bytes(byte[] value) {
        bytes.writeBytes(value);
        return this;
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }

    private LittleEndian number(long value, int size) {
        for (int i = 0; i < size; i++) {
            bytes.write((int) (value >>> (8 * i)));
        }
        return this;
    }
}
