// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.Serializable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What has become of a result at its receiver.
 *
 * @param reason empty when there is nothing to say
 * @param retriable whether the same task, run again, may well be accepted
 */
public record ResultFate(Verdict verdict, String reason, boolean retriable) implements Serializable {

    public ResultFate {
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(reason, "reason");
    }

    /** The five ends. */
    public enum Verdict {
        /** The receiver has it whole, and keeps it. */
        ACCEPTED(1),
        /** The receiver does not want it: too large, malformed, or its own code threw. */
        REFUSED(2),
        /** Another attempt of the same task counts instead. */
        SUPERSEDED(3),
        /** Its connection ended before it did. */
        LOST(4),
        /** The receiver asked to stop. */
        CANCELLED(5);

        private final int code;

        Verdict(int code) {
            this.code = code;
        }

        /** The number in the FATE frame. */
        public int code() {
            return code;
        }

        /** The verdict of that number, null when there is none. */
        public static @Nullable Verdict of(int code) {
            for (Verdict verdict : values()) {
                if (verdict.code == code) {
                    return verdict;
                }
            }
            return null;
        }
    }
}
