// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Waits for what another thread is about to do. */
public final class Eventually {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private Eventually() {}

    public static void isTrue(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 20 s: " + what);
            }
            Thread.sleep(1);
        }
    }

    /** Waits until the number is that and stays so for a while. */
    public static void settlesAt(String what, long expected, LongSupplier number) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        for (int quiet = 0; quiet < 50; ) {
            Thread.sleep(1);
            long now = number.getAsLong();
            quiet = now == expected ? quiet + 1 : 0;
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + " did not settle at " + expected + ": " + now);
            }
        }
    }
}
