// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.testing.LeakAudit;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/** Threads that meet in one round after another, as close in time as the processors allow. */
final class Meetings {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(15);

    /** What one side does in a round. */
    interface Side {
        void act(int round) throws Exception;
    }

    private final AtomicIntegerArray at;
    private final Side[] sides;

    private Meetings(Side... sides) {
        this.sides = sides;
        at = new AtomicIntegerArray(sides.length);
    }

    /** Returns when all sides have been through all rounds. */
    static void hold(LeakAudit audit, int rounds, Side... sides) throws Exception {
        Meetings meetings = new Meetings(sides);
        long seed = audit.seed();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < sides.length; i++) {
            int side = i;
            running.add(
                    audit.executor().submit(() -> meetings.attend(side, rounds, new SplittableRandom(seed + side))));
        }
        AssertionError failure = null;
        for (Future<?> each : running) {
            try {
                each.get();
            } catch (ExecutionException e) {
                failure = failure == null ? new AssertionError(e.getCause()) : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private int attend(int side, int rounds, SplittableRandom random) throws Exception {
        int waste = 0;
        for (int round = 0; round < rounds; round++) {
            at.set(side, round + 1);
            for (int other = 0; other < sides.length; other++) {
                waitFor(other, round + 1);
            }
            for (int delay = random.nextInt(256); delay > 0; delay--) {
                waste = waste * 31 + delay;
            }
            sides[side].act(round);
        }
        return waste;
    }

    private void waitFor(int other, int round) {
        long start = System.nanoTime();
        for (int turns = 1; at.get(other) < round; turns++) {
            Thread.onSpinWait();
            if (turns % 10_000 == 0) {
                LockSupport.parkNanos(1);
                if (System.nanoTime() - start > PATIENCE) {
                    throw new AssertionError("side " + other + " does not come to round " + round);
                }
            }
        }
    }
}
