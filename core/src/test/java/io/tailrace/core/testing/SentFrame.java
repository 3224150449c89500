// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** A frame's header as it stands in recorded bytes; read without the code under test, and without judging it. */
public record SentFrame(int kind, int flags, long sequence, long streamId, int wireLength, int rawLength, int at) {

    public static final int OPEN = 1;
    public static final int DATA = 2;
    public static final int TRAILER = 3;
    public static final int END = 4;
    public static final int FAILURE = 5;

    private static final int PREAMBLE = 16;
    private static final int HEADER = 32;

    /** All whole frames behind the preamble; a part of a frame at the end is left out. */
    public static List<SentFrame> parse(byte[] stream) {
        ByteBuffer bytes = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        List<SentFrame> frames = new ArrayList<>();
        int at = PREAMBLE;
        while (stream.length - at >= HEADER) {
            int wireLength = bytes.getInt(at + 16);
            if (wireLength < 0 || wireLength > stream.length - at - HEADER) {
                break;
            }
            frames.add(new SentFrame(
                    bytes.get(at) & 0xFF,
                    bytes.get(at + 1) & 0xFF,
                    bytes.getInt(at + 4) & 0xFFFF_FFFFL,
                    bytes.getLong(at + 8),
                    wireLength,
                    bytes.getInt(at + 20),
                    at));
            at += HEADER + wireLength;
        }
        return frames;
    }

    public boolean terminal() {
        return kind == END || kind == FAILURE;
    }

    public boolean compressed() {
        return (flags & 1) != 0;
    }

    /** Header and body. */
    public int bytes() {
        return HEADER + wireLength;
    }
}
