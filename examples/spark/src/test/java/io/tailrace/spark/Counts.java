// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.Serializable;

/** What an executor has counted. */
record Counts(long process, long streamed, long inline, long fallbacks, long refused, long liveBytes)
        implements Serializable {

    static Counts here() {
        Sending sending = Ends.sending();
        long process = ProcessHandle.current().pid();
        if (sending == null) {
            return new Counts(process, 0, 0, 0, 0, 0);
        }
        ExecutorMeters meters = sending.meters();
        return new Counts(
                process,
                meters.streamed().getCount(),
                meters.inline().getCount(),
                meters.fallbacks().getCount(),
                meters.refused().getCount(),
                sending.pool().liveBytes());
    }

    Counts plus(Counts other) {
        return new Counts(
                0,
                streamed + other.streamed,
                inline + other.inline,
                fallbacks + other.fallbacks,
                refused + other.refused,
                liveBytes + other.liveBytes);
    }
}
