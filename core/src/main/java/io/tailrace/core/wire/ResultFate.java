// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * What became of a result on the other side of its connection.
 *
 * @param reason in words; may be empty
 * @param retriable whether the same task may well succeed in a new attempt; the same attempt is told the same again
 */
public record ResultFate(Verdict verdict, String reason, boolean retriable) implements Serializable {

    /** The numbers are the format's. */
    public enum Verdict {
        /** It is received, and it counts. */
        ACCEPTED(1),
        /** It is not wanted, or could not be used. */
        REFUSED(2),
        /** Another attempt of the same task was accepted before. */
        SUPERSEDED(3),
        /** It did not arrive whole. */
        LOST(4),
        /** Somebody on the other side asked to stop. */
        CANCELLED(5);

        private final int code;

        Verdict(int code) {
            this.code = code;
        }

        /** The number in the FATE frame. */
        public int code() {
            return code;
        }

        /** The verdict of that number, or null. */
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
