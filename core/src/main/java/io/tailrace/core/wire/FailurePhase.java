// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

/** What a sender was doing when its result failed. */
public enum FailurePhase {
    /** A phase that a newer sender knows. */
    UNKNOWN(0),
    /** The value's codec ran. */
    ENCODING(1),
    /** The trailer was written. */
    TRAILER(2),
    /** A limit was crossed. */
    LIMIT(3),
    /** The process had no chunk to give. */
    BUDGET(4),
    /** A chunk was compressed. */
    COMPRESSION(5),
    /** The sink refused a frame. */
    SINK(6),
    /** Somebody asked to stop. */
    CANCELLED(7),
    /** The writer was closed without finish. */
    CLOSED(8),
    /** The receiver's own code threw. Never sent, so it has no number. */
    RECEIVING(-1);

    private final int code;

    FailurePhase(int code) {
        this.code = code;
    }

    /** The number in the FAILURE frame. */
    public int code() {
        return code;
    }

    /** The phase of that number, {@link #UNKNOWN} when there is none. */
    public static FailurePhase of(int code) {
        for (FailurePhase phase : values()) {
            if (phase.code == code && code >= 0) {
                return phase;
            }
        }
        return UNKNOWN;
    }
}
