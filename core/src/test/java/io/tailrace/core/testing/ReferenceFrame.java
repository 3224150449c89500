// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.util.Arrays;

/** A frame as FRAME_FORMAT.md §4 draws it. */
record ReferenceFrame(
        int kind,
        int flags,
        long sequence,
        long streamId,
        long wireLength,
        long rawLength,
        int bodyChecksum,
        int bodyOffset) {

    static final int HEADER = 32;
    static final int OPEN = 0x01;
    static final int DATA = 0x02;
    static final int TRAILER = 0x03;
    static final int END = 0x04;
    static final int FAILURE = 0x05;
    private static final int COMPRESSED = 1;
    private static final long MOST_FRAMES = 1L << 31;

    /** Reads a header, of which all bytes are there, and verifies its checksum and shape: steps 1 and 2. */
    static ReferenceFrame at(byte[] stream, int offset) throws Refusal {
        Fields fields = new Fields("any", stream, offset + 28);
        Refusal.connectionUnless(NaiveCrc32c.of(stream, offset, 28) == fields.i32(), "header checksum does not match");
        Fields header = new Fields("any", stream, offset);
        int kind = header.u8();
        int flags = header.u8();
        header.u8(); // ignorable flags
        Refusal.connectionUnless(header.u8() == 0, "reserved byte of the header is not 0");
        return new ReferenceFrame(
                kind, flags, header.u32(), header.i64(), header.u32(), header.u32(), header.i32(), offset + HEADER);
    }

    boolean isTerminal() {
        return kind == END || kind == FAILURE;
    }

    boolean isIgnorable() {
        return kind >= 0x80;
    }

    boolean isCompressed() {
        return (flags & COMPRESSED) != 0;
    }

    byte[] body(byte[] stream) {
        return Arrays.copyOfRange(stream, bodyOffset, bodyOffset + (int) wireLength);
    }

    /** Step 5. */
    void checkLengths(long limit) throws Refusal {
        Refusal.unless(wireLength <= limit, "wire length exceeds the chunk size");
        Refusal.unless(rawLength <= limit, "raw length exceeds the chunk size");
        if (isCompressed()) {
            Refusal.unless(0 < wireLength && wireLength < rawLength, "compressed frame is not smaller");
        } else {
            Refusal.unless(rawLength == wireLength, "raw length disagrees with wire length");
        }
    }

    /** Step 6 and 7. */
    void checkBodyAndKind(byte[] stream) throws Refusal {
        Refusal.unless(
                NaiveCrc32c.of(stream, bodyOffset, (int) wireLength) == bodyChecksum, "body checksum does not match");
        if (streamId == 0) {
            Refusal.connectionUnless(isIgnorable(), "unknown frame kind of the connection");
            Refusal.connectionUnless(flags == 0, "unknown flags");
            return;
        }
        boolean known = kind >= OPEN && kind <= FAILURE;
        Refusal.unless(known || isIgnorable(), "unknown frame kind");
        Refusal.unless((flags & ~COMPRESSED) == 0, "unknown flags");
        boolean mayBeCompressed = kind == DATA || kind == TRAILER || isIgnorable();
        Refusal.unless(!isCompressed() || mayBeCompressed, "frame kind is never compressed");
    }

    /** Step 9, the sequence; FAILURE may leave a gap in front. */
    void checkSequence(long expected) throws Refusal {
        boolean right = sequence == expected || (kind == FAILURE && sequence > expected);
        Refusal.unless(right && sequence < MOST_FRAMES, "frame out of sequence");
    }
}
