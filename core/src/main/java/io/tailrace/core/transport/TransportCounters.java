// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

/**
 * What a {@link ResultServer} or a {@link ResultClient} has counted since it began. Results that are open are counted as
 * opened, not yet as anything else.
 *
 * @param connectionsOpened connections whose peer has proved who it is
 * @param connectionsLost those of them that ended without both ends wanting it
 * @param resultsOpened results begun here; at a server, those that were let in
 * @param frameBytes bytes of frames of results that have ended, headers included
 * @param creditStallNanos time that results had frames ready and no credit, added up over results; 0 at a server
 * @param resultsSpilled results of which a part went to disk
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
        long creditStallNanos,
        long resultsSpilled) {

    /** Results begun and not ended. */
    public long resultsOpen() {
        return resultsOpened - resultsAccepted - resultsRefused - resultsSuperseded - resultsLost - resultsCancelled;
    }
}
