// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The process's permits, one a chunk, with a fair line for those who find none left.
 *
 * <p><b>Threads.</b> Any thread takes, gives and queues. Taking and giving are one compare-and-set while nobody
 * waits. The line is guarded by this object's monitor; {@code waiting} is written under it and read without it. Nobody
 * overtakes: whoever finds {@code waiting != 0} joins the line. No wake-up is lost, because {@link #give} adds its
 * permits before it reads {@code waiting}, and {@link #join} raises {@code waiting} before it reads the permits; all
 * four are volatile, so at least one side sees the other.
 */
final class Budget {

    private static final Logger LOG = System.getLogger(Budget.class.getName());

    private final int capacity;
    private final AtomicInteger free;
    private final ArrayDeque<Claim> line = new ArrayDeque<>();
    private volatile int waiting;

    Budget(int permits) {
        this.capacity = permits;
        this.free = new AtomicInteger(permits);
    }

    int capacity() {
        return capacity;
    }

    int free() {
        return free.get();
    }

    int waiting() {
        return waiting;
    }

    boolean tryTake(int permits) {
        return waiting == 0 && takeFree(permits);
    }

    void give(int permits) {
        if (permits > 0) {
            int now = free.addAndGet(permits);
            assert now <= capacity : now + " permits of " + capacity;
        }
        if (waiting != 0) {
            serve();
        }
    }

    /** Queues for that many permits; {@code granted} runs on the thread that frees them, which may be the caller. */
    Claim join(int permits, Runnable granted) {
        Claim claim = new Claim(permits, granted);
        synchronized (line) {
            line.add(claim);
            waiting = line.size();
        }
        serve();
        return claim;
    }

    /** Leaves the line. A claim that has been granted meanwhile gives its permits back. */
    void withdraw(Claim claim) {
        boolean queued;
        synchronized (line) {
            queued = line.remove(claim);
            waiting = line.size();
        }
        // Either way somebody behind may be served now: the claim was the head, or its permits are free again.
        give(queued ? 0 : claim.permits);
    }

    private void serve() {
        for (Claim served = serveHead(); served != null; served = serveHead()) {
            callBack(served.callback); // outside the monitor: a callback may take, give or join
        }
    }

    private @Nullable Claim serveHead() {
        synchronized (line) {
            Claim head = line.peek();
            if (head == null || !takeFree(head.permits)) {
                return null;
            }
            line.remove();
            head.granted = true;
            waiting = line.size();
            return head;
        }
    }

    /** Runs another result's callback; what it throws is neither the releasing thread's fault nor its business. */
    static void callBack(Runnable callback) {
        try {
            callback.run();
        } catch (Throwable e) {
            LOG.log(Level.ERROR, "a callback for a free chunk failed", e);
        }
    }

    private boolean takeFree(int permits) {
        int now = free.get();
        while (now >= permits) {
            if (free.compareAndSet(now, now - permits)) {
                return true;
            }
            now = free.get();
        }
        return false;
    }

    /** A place in the line. */
    static final class Claim {
        private final int permits;
        private final Runnable callback;
        private volatile boolean granted;

        private Claim(int permits, Runnable callback) {
            this.permits = permits;
            this.callback = callback;
        }

        boolean granted() {
            return granted;
        }
    }
}
