// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.util.Arrays;

/** A frame as FRAME_FORMAT.md §4 draws it. */
record ReferenceFrame(
        int kind,
        int flags,
        int reserved,
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
    private static final int LONGEST_OPEN = 480;
    private static final long MOST_FRAMES = 1L << 31;

    /** Reads a header, of which all bytes are there, and verifies its checksum. */
    static ReferenceFrame at(byte[] stream, int offset) throws Refusal {
        Fields fields = new Fields(stream, offset + 28);
        Refusal.connectionUnless(NaiveCrc32c.of(stream, offset, 28) == fields.i32(), "header checksum");
        Fields header = new Fields(stream, offset);
        int kind = header.u8();
        int flags = header.u8();
        header.u8(); // ignorable flags
        int reserved = header.u8();
        return new ReferenceFrame(
                kind,
                flags,
                reserved,
                header.u32(),
                header.i64(),
                header.u32(),
                header.u32(),
                header.i32(),
                offset + HEADER);
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

    /** Step 4 and 5. */
    void checkLengths(long limit) throws Refusal {
        Refusal.unless(reserved == 0, "header reserved byte");
        long most = kind == OPEN ? LONGEST_OPEN : limit;
        Refusal.unless(wireLength <= most, "wire length above the limit");
        Refusal.unless(rawLength <= most, "raw length above the limit");
        if (isCompressed()) {
            Refusal.unless(0 < wireLength && wireLength < rawLength, "compressed frame is not shorter");
        } else {
            Refusal.unless(rawLength == wireLength, "raw length differs from wire length");
        }
    }

    /** Step 6 and 7. */
    void checkBodyAndKind(byte[] stream) throws Refusal {
        Refusal.unless(NaiveCrc32c.of(stream, bodyOffset, (int) wireLength) == bodyChecksum, "body checksum");
        if (streamId == 0) {
            Refusal.connectionUnless(isIgnorable(), "connection frame");
            Refusal.connectionUnless(flags == 0, "unknown flag");
            return;
        }
        boolean known = kind >= OPEN && kind <= FAILURE;
        Refusal.unless(known || isIgnorable(), "unknown kind");
        Refusal.unless((flags & ~COMPRESSED) == 0, "unknown flag");
        boolean mayBeCompressed = kind == DATA || kind == TRAILER || isIgnorable();
        Refusal.unless(!isCompressed() || mayBeCompressed, "kind is never compressed");
    }

    /** Step 9, the sequence. */
    void checkSequence(long expected) throws Refusal {
        Refusal.unless(sequence == expected && sequence < MOST_FRAMES, "sequence");
    }
}
