// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

/**
 * What an end of a connection was built with. Times are in nanoseconds.
 *
 * @param name told to the peer
 * @param window most chunks of credit that one result has of its own, at least {@link Arriving#LEAST_WINDOW}
 * @param sharedChunks most chunks of credit that the results of a connection share
 * @param initialCredit most bytes that one result may use of it
 * @param mostInside most chunks inside the link
 * @param heartbeat how often this end says something
 * @param handshakeLimit how long the peer may take to prove who it is
 * @param frameLimit how long a frame may take to come whole
 * @param creditPatience how long a result may want credit before it is given up
 * @param spillAfter how long before it goes to disk
 * @param manyResults where so many small results, or results that have come whole, are under way, small ones and answers wait for
 *     company, a millisecond or two
 */
public record MuxSettings(
        String name,
        int window,
        int sharedChunks,
        long initialCredit,
        int mostInside,
        long heartbeat,
        long handshakeLimit,
        long frameLimit,
        long creditPatience,
        long spillAfter,
        int manyResults) {

    /** Some chunks full: what is behind so many loses little, and to wake a loop for a few at a time costs more than to send them. */
    public static final int MANY_RESULTS = 256;
}
