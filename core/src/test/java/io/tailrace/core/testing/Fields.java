// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Little-endian fields, read one behind the other; running out of bytes is a refusal of the body. */
final class Fields {

    private final byte[] bytes;
    private final String what;
    private int at;

    /** Fields of a frame of that name, from an offset on. */
    Fields(String what, byte[] bytes, int at) {
        this.what = what;
        this.bytes = bytes;
        this.at = at;
    }

    int u8() throws Refusal {
        return (int) number(1);
    }

    int u16() throws Refusal {
        return (int) number(2);
    }

    long u32() throws Refusal {
        return number(4);
    }

    int i32() throws Refusal {
        return (int) number(4);
    }

    /** A u64 or an i64: the same 64 bits. */
    long i64() throws Refusal {
        return number(8);
    }

    byte[] bytes(int length) throws Refusal {
        Refusal.unless(length <= bytes.length - at, what + " frame is too short");
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    static String text(byte[] utf8) throws Refusal {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Refusal("text is not UTF-8", false);
        }
    }

    private long number(int size) throws Refusal {
        Refusal.unless(size <= bytes.length - at, what + " frame is too short");
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[at++] & 0xFFL) << (8 * i);
        }
        return value;
    }
}
