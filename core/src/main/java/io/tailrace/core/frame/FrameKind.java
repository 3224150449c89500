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
    PING(0x13),
    PONG(0x14),
    PROOF(0x15),
    BACKLOG(0x16),
    FATE(0x17),
    BYE(0x18),
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
            case 0x13 -> PING;
            case 0x14 -> PONG;
            case 0x15 -> PROOF;
            case 0x16 -> BACKLOG;
            case 0x17 -> FATE;
            case 0x18 -> BYE;
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

    /** Whether frames of this kind make up a result; the others that must be understood are the connection's. */
    boolean ofResult() {
        return this == OPEN || this == DATA || this == TRAILER || terminal() || this == IGNORABLE;
    }
}
