// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What is held besides chunks, and what was copied out of it.
 *
 * <p><b>Threads.</b> Any number at once.
 */
final class Scratch {

    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();
    private final LongAdder copied = new LongAdder();

    /** More, or less where it is negative. */
    void hold(long more) {
        long held = bytes.addAndGet(more);
        if (held > peak.get()) {
            peak.accumulateAndGet(held, Math::max);
        }
    }

    void copy(long length) {
        copied.add(length);
    }

    long bytes() {
        return bytes.get();
    }

    long peak() {
        return peak.get();
    }

    long copied() {
        return copied.sum();
    }
}
