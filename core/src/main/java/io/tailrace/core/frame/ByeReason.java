// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

/** Why one side ends a multiplexed connection. The numbers are the format's. */
public enum ByeReason {
    /** Nothing more is to come. */
    DONE(1),
    /** The peer's proof does not hold, or there is none. */
    NOT_AUTHENTICATED(2),
    /** The peer sent what the format does not allow; stands for reasons of a newer version too. */
    PROTOCOL_BROKEN(3),
    /** A limit was reached. */
    LIMIT(4),
    /** The process ends. */
    SHUTTING_DOWN(5),
    /** The peer was silent for too long. */
    TIMED_OUT(6);

    private final int code;

    ByeReason(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The reason of that number, {@link #PROTOCOL_BROKEN} when there is none. */
    public static ByeReason of(int code) {
        for (ByeReason reason : values()) {
            if (reason.code == code) {
                return reason;
            }
        }
        return PROTOCOL_BROKEN;
    }
}
