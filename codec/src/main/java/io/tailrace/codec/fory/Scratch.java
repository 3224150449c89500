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

    /**
     * An array for what does not fit, or straddles; one that grew big is not kept.
     *
     * <p><b>Threads.</b> One at a time.
     */
    static final class Kept {

        private static final byte[] NONE = {};
        private static final int KEPT_BYTES = 1 << 20;

        private final Scratch total;
        private byte[] array = NONE;

        Kept(Scratch total) {
            this.total = total;
        }

        Scratch total() {
            return total;
        }

        byte[] array() {
            return array;
        }

        byte[] atLeast(int length) {
            if (array.length < length) {
                replace(new byte[length]);
            }
            return array;
        }

        void replace(byte[] other) {
            total.hold(other.length - array.length);
            array = other;
        }

        void shrink() {
            if (array.length > KEPT_BYTES) {
                replace(NONE);
            }
        }
    }
}
