// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.function.LongSupplier;

/**
 * What a result on its way out waits for, and for how long it has in all. Its frames wait for one thing at a time; who writes
 * them to disk, or waits for room among small results, does so beside that. All numbers are nanoseconds.
 *
 * <p><b>Threads.</b> The loop goes from one wait to the next and counts what has ended; the thread that writes to disk, of which
 * there is one at a time, counts the disk's, and the result's sending thread the room's. Any thread reads. A result that is
 * settled elsewhere than on the loop is short of the wait that it was in.
 */
final class Waits {

    /** What its frames wait for. */
    enum Wait {
        /** There are none, or the result is over. */
        NOTHING,
        LINK,
        CREDIT,
        ACKNOWLEDGEMENT
    }

    private Wait current = Wait.NOTHING;
    private long since;
    private long inside;
    private volatile long linkNanos;
    private volatile long creditNanos;
    private volatile long acknowledgementNanos;
    private volatile long diskNanos;
    private volatile long roomNanos;

    /** Goes on to wait for that, or goes on waiting for it. */
    void go(Wait next, long now) {
        if (next == current) {
            return;
        }
        long until = now - since < 0 ? since : now; // what comes in one go is all told at the time when it came
        switch (current) { // one writer: no update is lost
            case LINK -> linkNanos = linkNanos + until - since;
            case CREDIT -> creditNanos = creditNanos + until - since;
            case ACKNOWLEDGEMENT -> acknowledgementNanos = acknowledgementNanos + until - since;
            case NOTHING -> {}
        }
        current = next;
        since = now;
    }

    /** Frames may have come. */
    void queued(LongSupplier clock) {
        if (current == Wait.NOTHING) {
            go(Wait.LINK, clock.getAsLong());
        }
    }

    /** There were none after all. */
    void unqueued() {
        if (current == Wait.LINK && inside == 0) {
            current = Wait.NOTHING;
        }
    }

    /** The link was given some. */
    void sent(int bytes, long now) {
        inside += bytes;
        go(Wait.LINK, now);
    }

    /** The link has let go of some; true when it has none left, and nothing else is known of. */
    boolean out(int bytes) {
        inside -= bytes;
        return inside == 0 && current == Wait.LINK;
    }

    /** There is credit again. */
    void revived(LongSupplier clock) {
        if (current == Wait.CREDIT) {
            go(Wait.LINK, clock.getAsLong());
        }
    }

    void wroteToDisk(long began, long now) {
        diskNanos = diskNanos + now - began; // one thread at a time, each behind the one before
    }

    /** As told by the window's own count, before and after. */
    void waitedForRoom(long before, long after) {
        roomNanos = roomNanos + after - before; // the sending thread's alone
    }

    long linkNanos() {
        return linkNanos;
    }

    long creditNanos() {
        return creditNanos;
    }

    long acknowledgementNanos() {
        return acknowledgementNanos;
    }

    long diskNanos() {
        return diskNanos;
    }

    long roomNanos() {
        return roomNanos;
    }
}
