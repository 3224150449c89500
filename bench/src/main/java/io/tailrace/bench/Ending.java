// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.util.concurrent.TimeUnit;

/** Waits for what has been told to end. */
final class Ending {

    private static final long PATIENCE_SECONDS = 30;

    private Ending() {}

    interface Wait {
        /** Whether it has ended within that time. */
        boolean within(long time, TimeUnit unit) throws InterruptedException;
    }

    /** @throws IllegalStateException when it does not end */
    static void await(String what, Wait end) {
        boolean ended = false;
        try {
            ended = end.within(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            throw new IllegalStateException("no end yet: " + what);
        }
    }
}
