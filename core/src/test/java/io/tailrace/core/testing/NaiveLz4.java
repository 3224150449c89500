// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.util.Arrays;

/** Expands LZ4 blocks byte by byte, and makes the simplest ones. */
public final class NaiveLz4 {

    private NaiveLz4() {}

    /** The block's content, which must be exactly rawLength bytes: IllegalArgumentException otherwise. */
    public static byte[] expand(byte[] block, int rawLength) {
        return new Expansion(block, rawLength).run();
    }

    /** A block that expands to the same byte length times; length is at least 14. */
    public static byte[] run(int value, int length) {
        int more = length - 1 - 5 - 4 - 15; // one literal, five literals at the end, and a match of 4 + 15 + more
        if (length < 14) {
            throw new IllegalArgumentException("a run of " + length + " bytes is too short to pay");
        }
        byte[] block = new byte[4 + (more < 0 ? 0 : more / 255 + 1) + 6];
        int at = 0;
        block[at++] = (byte) (0x10 | Math.min(15, 15 + more));
        block[at++] = (byte) value;
        block[at++] = 1; // offset 1, of two bytes
        block[at++] = 0;
        for (int rest = more; rest >= 0; rest -= 255) {
            block[at++] = (byte) Math.min(rest, 255);
        }
        block[at++] = 0x50;
        Arrays.fill(block, at, at + 5, (byte) value);
        return block;
    }

    private static final class Expansion {
        private final byte[] block;
        private final byte[] raw;
        private int in;
        private int out;

        Expansion(byte[] block, int rawLength) {
            this.block = block;
            this.raw = new byte[rawLength];
        }

        byte[] run() {
            while (true) {
                int token = input();
                literals(length(token >>> 4));
                if (in == block.length) {
                    break;
                }
                int offset = input() | (input() << 8);
                match(offset, 4 + length(token & 0xF));
            }
            require(out == raw.length, "yields " + out + " bytes instead of " + raw.length);
            return raw;
        }

        private int input() {
            require(in < block.length, "ends inside a sequence");
            return block[in++] & 0xFF;
        }

        private long length(int nibble) {
            long length = nibble;
            if (nibble == 15) {
                int more;
                do {
                    more = input();
                    length += more;
                } while (more == 255);
            }
            return length;
        }

        private void literals(long length) {
            require(length <= block.length - in, "has literals behind its end");
            require(length <= raw.length - out, "yields more than " + raw.length + " bytes");
            for (long i = 0; i < length; i++) {
                raw[out++] = block[in++];
            }
        }

        private void match(int offset, long length) {
            require(offset != 0, "has a match with offset 0");
            require(offset <= out, "has a match from before its start");
            require(length <= raw.length - out, "yields more than " + raw.length + " bytes");
            for (long i = 0; i < length; i++) {
                raw[out] = raw[out - offset];
                out++;
            }
        }

        private void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new IllegalArgumentException("compressed block " + otherwise + " at offset " + in);
            }
        }
    }
}
