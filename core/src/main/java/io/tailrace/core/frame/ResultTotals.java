// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import java.util.zip.CRC32C;

/**
 * What a result amounts to so far, counted alike by its writer and its reader: totals as longs, and the digest over
 * each frame's sequence, kind, raw length and body checksum, in order. The end frame carries them.
 */
public final class ResultTotals {

    private final CRC32C digest = new CRC32C();
    private final byte[] entry = new byte[DIGEST_RECORD_LENGTH];
    private long payloadBytes;
    private long payloadWireBytes;
    private long trailerBytes;
    private long wireBytes;
    private long frames;

    void add(int kindCode, int wireLength, int rawLength, int bodyCrc) {
        FrameHeader.INT.set(entry, 0, (int) frames);
        FrameHeader.INT.set(entry, 4, kindCode);
        FrameHeader.INT.set(entry, 8, rawLength);
        FrameHeader.INT.set(entry, 12, bodyCrc);
        digest.update(entry, 0, DIGEST_RECORD_LENGTH);
        frames++;
        wireBytes += HEADER_LENGTH + wireLength;
        if (kindCode == FrameKind.DATA.code()) {
            payloadBytes += rawLength;
            payloadWireBytes += wireLength;
        } else if (kindCode == FrameKind.TRAILER.code()) {
            trailerBytes += rawLength;
        }
    }

    /** What is counted comes behind so many frames; totals and digest tell nothing then. */
    void skipTo(long sent) {
        frames = sent;
    }

    /** Payload bytes before compression. */
    public long payloadBytes() {
        return payloadBytes;
    }

    public long trailerBytes() {
        return trailerBytes;
    }

    /** All bytes of all frames, headers included. */
    public long wireBytes() {
        return wireBytes;
    }

    public long frames() {
        return frames;
    }

    /** Writes the end frame's body; it counts itself neither in the totals nor in the digest. */
    void writeEnd(byte[] array, int at) {
        FrameHeader.LONG.set(array, at + END_PAYLOAD_RAW_OFFSET, payloadBytes);
        FrameHeader.LONG.set(array, at + END_PAYLOAD_WIRE_OFFSET, payloadWireBytes);
        FrameHeader.LONG.set(array, at + END_TRAILER_RAW_OFFSET, trailerBytes);
        FrameHeader.LONG.set(array, at + END_FRAMES_OFFSET, frames);
        FrameHeader.INT.set(array, at + END_DIGEST_OFFSET, (int) digest.getValue());
        FrameHeader.INT.set(array, at + END_RESERVED_OFFSET, 0);
    }

    /** The first total in which an end frame's body disagrees with what was received, or null. */
    public Disagreement disagreement(byte[] array, int at) {
        Disagreement found = Disagreement.between("frames disagree", frames, total(array, at + END_FRAMES_OFFSET));
        found = found.or("payload bytes disagree", payloadBytes, total(array, at + END_PAYLOAD_RAW_OFFSET));
        found = found.or("payload wire bytes disagree", payloadWireBytes, total(array, at + END_PAYLOAD_WIRE_OFFSET));
        found = found.or("trailer bytes disagree", trailerBytes, total(array, at + END_TRAILER_RAW_OFFSET));
        int declared = (int) FrameHeader.INT.get(array, at + END_DIGEST_OFFSET);
        return found.or("digest disagrees", digest.getValue(), Integer.toUnsignedLong(declared));
    }

    /** An unsigned total; one that no long holds is told as the largest, which nothing that was counted reaches. */
    private static long total(byte[] array, int at) {
        long total = (long) FrameHeader.LONG.get(array, at);
        return total < 0 ? Long.MAX_VALUE : total;
    }

    /** A total that was counted otherwise than declared; none where both are equal. */
    public record Disagreement(String total, long counted, long declared) {

        static Disagreement between(String total, long counted, long declared) {
            return new Disagreement(total, counted, declared);
        }

        public boolean none() {
            return counted == declared;
        }

        Disagreement or(String next, long counted, long declared) {
            return none() ? new Disagreement(next, counted, declared) : this;
        }
    }
}
