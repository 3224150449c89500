// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import java.util.Map;

/**
 * What a {@link ResultServer} or a {@link ResultClient} has counted since it began. Results that are open are counted as
 * opened, not yet as anything else.
 *
 * @param connectionsOpened connections whose peer has proved who it is
 * @param connectionsLost those of them that ended without both ends wanting it
 * @param resultsOpened results begun here; at a server, those that were let in
 * @param frameBytes bytes of frames of results that have ended, headers included
 * @param resultsSpilled results that have ended of which a part went to disk
 * @param spilledBytes bytes of frames that went to disk, of all results
 * @param stallNanos what results that have ended waited for, in nanoseconds added up over results, by cause
 */
public record TransportCounters(
        long connectionsOpened,
        long connectionsLost,
        long resultsOpened,
        long resultsAccepted,
        long resultsRefused,
        long resultsSuperseded,
        long resultsLost,
        long resultsCancelled,
        long frameBytes,
        long resultsSpilled,
        long spilledBytes,
        Map<StallCause, Long> stallNanos) {

    public TransportCounters {
        stallNanos = Map.copyOf(stallNanos);
    }

    /** Results begun and not ended. */
    public long resultsOpen() {
        return resultsOpened - resultsAccepted - resultsRefused - resultsSuperseded - resultsLost - resultsCancelled;
    }

    /** Nanoseconds for which results that have ended waited for that. */
    public long stallNanos(StallCause cause) {
        return stallNanos.getOrDefault(cause, 0L);
    }
}
