// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

/** What a frame is for. The numbers are the format's. */
public enum FrameKind {
    OPEN(0x01),
    DATA(0x02),
    TRAILER(0x03),
    END(0x04),
    FAILURE(0x05),
    HELLO(0x10),
    CREDIT(0x11),
    CANCEL(0x12),
    PING(0x13),
    /** Any kind from 0x80: its bytes are verified, its content is skipped. */
    IGNORABLE(0x80),
    /** A kind below 0x80 of a newer version: it must be understood, so its result fails. */
    UNKNOWN(0x00);

    private final int code;

    FrameKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    static FrameKind of(int code) {
        return switch (code) {
            case 0x01 -> OPEN;
            case 0x02 -> DATA;
            case 0x03 -> TRAILER;
            case 0x04 -> END;
            case 0x05 -> FAILURE;
            case 0x10 -> HELLO;
            case 0x11 -> CREDIT;
            case 0x12 -> CANCEL;
            case 0x13 -> PING;
            default -> code >= 0x80 ? IGNORABLE : UNKNOWN;
        };
    }

    /** Whether it ends a result. */
    public boolean terminal() {
        return this == END || this == FAILURE;
    }

    boolean compressible() {
        return this == DATA || this == TRAILER || this == IGNORABLE;
    }

    /** Whether frames of this kind make up a result; the others that must be understood are not of this version. */
    boolean ofResult() {
        return this == OPEN || this == DATA || this == TRAILER || terminal() || this == IGNORABLE;
    }
}
