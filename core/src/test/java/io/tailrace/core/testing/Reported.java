// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import org.jspecify.annotations.Nullable;

/**
 * What a reader reports once for each result, in whatever way it reports it. Payload and trailer hold what was verified
 * before the terminal. A fault of the connection while no result is open is reported with stream id 0.
 */
@SuppressWarnings("ArrayRecordComponent") // compared by what it shows, never by equals
public record Reported(
        Terminal terminal,
        boolean connectionOver,
        String reason,
        long streamId,
        @Nullable Opened opened,
        byte[] payload,
        byte[] trailer,
        @Nullable Failure failure) {

    /** How a result ended for its reader. */
    public enum Terminal {
        END,
        FAILURE,
        MALFORMED,
        TRUNCATED
    }

    /** The fields of an OPEN frame. */
    public record Opened(
            int chunkSize, int compression, long stage, long task, int attempt, String codecId, String job) {}

    /** The fields of a FAILURE frame. */
    public record Failure(
            int phase,
            boolean retriable,
            long payloadBytes,
            long frames,
            String className,
            String text,
            String stack) {}

    @Override
    public String toString() {
        return terminal + " stream=0x%016X".formatted(streamId) + (connectionOver ? " (connection over)" : "")
                + (reason.isEmpty() ? "" : " \"" + reason + "\"") + " payload of " + payload.length
                + ", trailer of " + trailer.length + (opened == null ? "" : " " + opened)
                + (failure == null ? "" : " " + failure);
    }
}
