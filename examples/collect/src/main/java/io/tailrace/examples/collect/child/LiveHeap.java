// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The heap that outlives a collection, at its largest.
 *
 * <p>Heap in use is mostly garbage, so each look asks for a full collection and adds up what every heap pool held right
 * after it ({@link MemoryPoolMXBean#getCollectionUsage()}; what other threads allocate meanwhile does not count). A look
 * takes some ten milliseconds in a heap of 64 MiB; therefore one is taken at most once a second, at moments that its
 * callers choose as the fattest, and once more at the end.
 *
 * <p><b>Threads.</b> Any thread looks; of several at a time one does.
 */
final class LiveHeap {

    private static final long PERIOD_NANOS = 1_000_000_000L;

    private final AtomicLong nextLook = new AtomicLong(System.nanoTime());
    private final AtomicLong largest = new AtomicLong();
    private volatile long last;

    /** Looks unless somebody did within the last second. */
    void lookNowAndThen() {
        long due = nextLook.get();
        long now = System.nanoTime();
        if (now - due >= 0 && nextLook.compareAndSet(due, now + PERIOD_NANOS)) {
            look();
        }
    }

    void look() {
        System.gc();
        long live = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            MemoryUsage usage = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
            live += usage == null ? 0 : usage.getUsed();
        }
        last = live;
        if (live > largest.getAndAccumulate(live, Math::max)) {
            Report.LIVE_HEAP.say(live);
        }
    }

    /** What the last look saw, 0 before the first. */
    long last() {
        return last;
    }

    long largest() {
        return largest.get();
    }
}
