// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WaitingTest {
    private final Waiting waiting = new Waiting(100);
    private final AtomicBoolean ready = new AtomicBoolean();

    @Test
    void whatHoldsAlreadyIsNotWaitedFor() throws InterruptedException {
        assertTrue(waiting.await(() -> true, Waiting.NO_DEADLINE));
        assertTrue(waiting.await(() -> true, System.nanoTime() - 1), "late but there");
        assertFalse(waiting.occupied());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Waiting.NO_DEADLINE})
    void signalEndsAWaitWithoutDeadline(long deadline) throws Exception {
        Aside<Boolean> waiter = Aside.parked("waiter", () -> waiting.await(ready::get, deadline));
        assertTrue(waiting.occupied());
        waiting.signal(); // not ready: sleeps on
        Thread.sleep(5);
        ready.set(true);
        waiting.signal();
        assertTrue(waiter.get());
        assertFalse(waiting.occupied());
        waiting.signal(); // nobody there
    }

    @Test
    void signalEndsAWaitWithDeadline() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        Aside<Boolean> waiter = Aside.run("waiter", () -> waiting.await(ready::get, deadline));
        while (!waiting.occupied()) {
            Thread.onSpinWait();
        }
        ready.set(true);
        waiting.signal();
        assertTrue(waiter.get());
        assertTrue(System.nanoTime() < deadline);
    }

    @Test
    void deadlineEndsTheWaitNotBeforeItsTime() throws InterruptedException {
        long start = System.nanoTime();
        assertFalse(waiting.await(() -> false, start + TimeUnit.MILLISECONDS.toNanos(20)));
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(20));
        assertFalse(waiting.await(() -> false, start), "long past");
        assertFalse(waiting.occupied());
    }

    @Test
    void interruptEndsTheWaitAndFreesThePlace() throws Exception {
        Aside<Boolean> waiter = Aside.parked("waiter", () -> waiting.await(ready::get, Waiting.NO_DEADLINE));
        waiter.thread().interrupt();
        ExecutionException e = assertThrows(ExecutionException.class, waiter::get);
        assertInstanceOf(InterruptedException.class, e.getCause());
        assertFalse(waiting.occupied());

        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> waiting.await(() -> true, Waiting.NO_DEADLINE));
        assertFalse(Thread.interrupted());
        assertFalse(waiting.occupied());
    }

    @Test
    void conditionThatThrowsFreesThePlace() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        assertThrows(
                IllegalStateException.class,
                () -> waiting.await(
                        () -> {
                            if (calls.incrementAndGet() > 100) {
                                throw new IllegalStateException("user's");
                            }
                            return false;
                        },
                        Waiting.NO_DEADLINE));
        assertFalse(waiting.occupied());
        assertTrue(waiting.await(() -> true, Waiting.NO_DEADLINE));
    }

    @Test
    void secondWaiterIsRefusedAndTheFirstSleepsOn() throws Exception {
        Aside<Boolean> first = Aside.parked("first", () -> waiting.await(ready::get, Waiting.NO_DEADLINE));
        IllegalStateException refused =
                assertThrows(IllegalStateException.class, () -> waiting.await(() -> false, Waiting.NO_DEADLINE));
        assertTrue(refused.getMessage().contains("first"), refused.getMessage());
        assertTrue(waiting.occupied());
        ready.set(true);
        waiting.signal();
        assertTrue(first.get());
    }

    @Test
    void unparkForNoReasonEndsNoWait() throws Exception {
        Aside<Boolean> waiter = Aside.parked("waiter", () -> waiting.await(ready::get, Waiting.NO_DEADLINE));
        for (int i = 0; i < 1_000; i++) {
            LockSupport.unpark(waiter.thread());
        }
        assertTrue(waiter.thread().isAlive());
        ready.set(true);
        waiting.signal();
        assertTrue(waiter.get());
    }

    /** As the chunk pool uses it: one thread acquires, any thread gives back. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void permitsGivenBackByManyThreadsReachTheOneThatWaits(int spins) throws Exception {
        int givers = 3;
        int each = Proof.FULL ? 2_000_000 : 50_000;
        Waiting place = new Waiting(spins);
        AtomicInteger permits = new AtomicInteger();
        List<Aside<Void>> threads = new ArrayList<>();
        Aside<Integer> acquirer = Aside.run("acquirer", () -> {
            int acquired = 0;
            while (acquired < givers * each) {
                assertTrue(place.await(() -> permits.get() > 0, Waiting.NO_DEADLINE));
                permits.decrementAndGet();
                acquired++;
            }
            return acquired;
        });
        for (int g = 0; g < givers; g++) {
            threads.add(Aside.run("giver " + g, () -> {
                for (int i = 0; i < each; i++) {
                    permits.incrementAndGet();
                    place.signal();
                }
                return null;
            }));
        }
        for (Aside<Void> thread : threads) {
            thread.get();
        }
        assertEquals(givers * each, acquirer.get());
        assertEquals(0, permits.get());
    }
}
