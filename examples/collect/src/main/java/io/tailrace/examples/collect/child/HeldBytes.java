// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A count of bytes held, and the most there ever were.
 *
 * <p><b>Threads.</b> Any thread adds, removes and reads; each sum that an add makes is seen by the peak.
 */
final class HeldBytes {

    private final AtomicLong now = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();

    void add(long bytes) {
        long sum = now.addAndGet(bytes);
        if (sum > peak.get()) {
            peak.accumulateAndGet(sum, Math::max);
        }
    }

    void remove(long bytes) {
        now.addAndGet(-bytes);
    }

    long now() {
        return now.get();
    }

    long peak() {
        return peak.get();
    }
}
