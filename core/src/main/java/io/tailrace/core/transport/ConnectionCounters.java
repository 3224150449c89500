// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import java.net.SocketAddress;

/**
 * What one end of a connection counted up to now: sums since it began, and what is under way. Numbers are read one by one while
 * the connection goes on, so they need not be of one moment. Bytes are of frames, headers included, before TLS.
 *
 * @param peer what the other process calls itself
 * @param address where it is
 * @param sentBytes given to Netty, control frames included
 * @param sentFrames frames of these, control frames included
 * @param receivedBytes taken from Netty, control frames included
 * @param receivedFrames those of them that have come whole
 * @param resultsBegun at a client, results of which something was sent or waits to be; at a server, those that were let in
 * @param resultsAccepted those of them that were accepted
 * @param resultsFailed those of them that ended in another way
 * @param sharedCreditBytes credit that all results share, given by the server and not used: in whole chunks of the server's size,
 *     without the rest of the one that is begun
 * @param ownCreditBytes credit that results have of their own, of all of them together, counted likewise
 * @param insideBytes bytes of results' frames that Netty was given and has not sent; 0 at a server
 * @param backlogBytes bytes of results' frames that wait in memory for their turn or for credit; 0 at a server
 * @param spilledBytes bytes of results' frames that went to disk here, since the connection began
 * @param diskBytes bytes of results' frames that are on disk now, of all connections of this end together, ended ones included
 */
public record ConnectionCounters(
        String peer,
        SocketAddress address,
        long sentBytes,
        long sentFrames,
        long receivedBytes,
        long receivedFrames,
        long resultsBegun,
        long resultsAccepted,
        long resultsFailed,
        long sharedCreditBytes,
        long ownCreditBytes,
        long insideBytes,
        long backlogBytes,
        long spilledBytes,
        long diskBytes) {

    /** Results begun and not ended. */
    public long resultsOpen() {
        return resultsBegun - resultsAccepted - resultsFailed;
    }

    /** Credit given and not used, shared and own. */
    public long creditBytes() {
        return sharedCreditBytes + ownCreditBytes;
    }
}
