// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What one end of a connection counts of itself. All numbers of bytes include frame headers.
 *
 * <p><b>Threads.</b> The loop alone writes a {@link Count}, any thread an adder; any thread reads, each number by itself and out of
 * date at once.
 */
public final class Tally {

    /** A number that its one writer changes at the price of a plain addition. */
    public static final class Count {
        private final AtomicLong value = new AtomicLong();

        void add(long more) {
            value.setOpaque(value.getPlain() + more); // one writer: no update is lost
        }

        void set(long now) {
            value.setOpaque(now);
        }

        public long get() {
            return value.getOpaque();
        }
    }

    /** Bytes given to the link, the preamble included. */
    public final Count sentBytes = new Count();

    /** Frames given to the link, the connection's own included. */
    public final Count sentFrames = new Count();

    /** Bytes taken from the peer, the preamble included. */
    public final Count receivedBytes = new Count();

    /** Frames that have come whole, the connection's own included. */
    public final Count receivedFrames = new Count();

    /** Results whose first frames were sent, or that were let in. */
    public final Count resultsBegun = new Count();

    /** Those of them that were accepted. */
    public final Count resultsAccepted = new Count();

    /** Those of them that ended in another way. */
    public final Count resultsFailed = new Count();

    /** Bytes of shared credit in chunks that no frame was charged to yet. */
    public final Count sharedCredit = new Count();

    /** Bytes of results' own credit, likewise. */
    public final Count ownCredit = new Count();

    /** Bytes of results' frames inside the link; of a sender. */
    public final Count inside = new Count();

    /** Bytes of results' frames that wait in memory for their turn or for credit; of a sender. */
    public final LongAdder backlog = new LongAdder();

    /** Bytes of results' frames that have gone to disk. */
    public final LongAdder spilled = new LongAdder();
}
