// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkWindowTest {

    private static final int CHUNK = 512;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void reserveIsGrantedWholeOrNotAtAll() throws IOException {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(5 * CHUNK).patience(Duration.ZERO));
        ChunkWindow three = pool.open("three", 4, 3);
        assertEquals(2 * CHUNK, pool.freeBytes());
        assertEquals(0, pool.liveBytes(), "a reserve is a promise, not memory");
        assertThrows(BudgetExhaustedException.class, () -> pool.open("three more", 3, 3));
        assertEquals(2 * CHUNK, pool.freeBytes(), "a refused reserve keeps nothing");
        ChunkWindow two = pool.open("two", 2, 2);
        assertEquals(0, pool.freeBytes());
        Chunk first = three.acquire();
        Chunk second = three.acquire();
        Chunk third = three.acquire();
        assertNull(three.tryAcquire(), "the fourth is beyond the reserve, and the budget is spent");
        two.close();
        Chunk fourth = three.acquire();
        assertEquals(CHUNK, pool.freeBytes());
        fourth.release();
        assertEquals(2 * CHUNK, pool.freeBytes());
        third.release();
        assertEquals(2 * CHUNK, pool.freeBytes(), "a reserved permit stays with its window");
        three.close();
        assertEquals(3 * CHUNK, pool.freeBytes(), "two are still out");
        second.release();
        first.release();
        assertEquals(5 * CHUNK, pool.freeBytes());
    }

    @Test
    void oneReturnWakesWhoWaitsForAFullWindowBeyondItsReserve() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        try (ChunkWindow window = pool.open("full", 4, 1)) {
            List<Chunk> out = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                out.add(window.acquire());
            }
            assertEquals(0, window.waiting());
            Future<Chunk> fifth = audit.executor().submit(window::acquire);
            Eventually.settlesAt("waiting", 1, window::waiting);
            assertFalse(fifth.isDone());
            out.remove(0).release();
            out.add(fifth.get(10, TimeUnit.SECONDS));
            assertEquals(0, window.waiting());
            assertEquals(4, window.live());
            assertEquals(4 * CHUNK, window.liveBytes());
            assertEquals(4 * CHUNK, window.peakLiveBytes());
            out.forEach(Chunk::release);
        }
    }

    @Test
    void whoWaitsForHalfOfAFullWindowIsWokenForItAndForLessInAMoment() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        long forOne = Long.MAX_VALUE;
        long forHalf = Long.MAX_VALUE;
        long forLess = Long.MAX_VALUE;
        for (int round = 0; round < 200 && (round < 20 || Math.max(forOne, forHalf) >= 2_000_000); round++) {
            forOne = Math.min(forOne, nanosToAcquire(window -> {}, 1, pool));
            forHalf = Math.min(forHalf, nanosToAcquire(ChunkWindow::wakeForHalf, 4, pool));
            forLess = Math.min(forLess, nanosToAcquire(ChunkWindow::wakeForHalf, 3, pool));
        }
        assertTrue(forOne < 2_000_000, "the first chunk woke nobody for " + forOne + " ns");
        assertTrue(forHalf < 2_000_000, "half of the window woke nobody for " + forHalf + " ns");
        assertTrue(forLess >= 2_000_000, "less than half of it woke somebody after " + forLess + " ns");
    }

    /** It has waited for half of them in vain by then. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whoHasWaitedForHalfInVainIsWokenByTheFirstChunkAndByACancel(boolean cancelled) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        try (ChunkWindow window = pool.open("full", 8, 1)) {
            window.wakeForHalf();
            List<Chunk> out = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                out.add(window.acquire());
            }
            Future<Chunk> waited = audit.executor().submit(window::acquire);
            Eventually.settlesAt("waiting", 1, window::waiting);
            Thread.sleep(50);
            if (cancelled) {
                window.interruptAcquire();
                Throwable thrown = assertThrows(ExecutionException.class, () -> waited.get(10, TimeUnit.SECONDS))
                        .getCause();
                assertInstanceOf(InterruptedIOException.class, thrown);
            } else {
                out.remove(0).release();
                out.add(waited.get(10, TimeUnit.SECONDS));
            }
            out.forEach(Chunk::release);
        }
    }

    /** How long who finds a window of eight full waits for a place, where so many chunks come back at once. */
    private long nanosToAcquire(Consumer<ChunkWindow> setting, int comeBack, ChunkPool pool) throws Exception {
        try (ChunkWindow window = pool.open("full", 8, 1)) {
            setting.accept(window);
            List<Chunk> out = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                out.add(window.acquire());
            }
            Future<Long> waited = audit.executor().submit(() -> {
                long began = System.nanoTime();
                Chunk ninth = window.acquire();
                long ended = System.nanoTime();
                ninth.release();
                return ended - began;
            });
            while (window.waiting() == 0 && !waited.isDone()) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < comeBack; i++) {
                out.remove(0).release();
            }
            long nanos = waited.get(10, TimeUnit.SECONDS);
            out.forEach(Chunk::release);
            return nanos;
        }
    }

    @Test
    void callbackThatThrowsHarmsNeitherTheReleaserNorTheNextInLine() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        ChunkWindow thrower = pool.open("thrower", 1, 0);
        try (ChunkWindow holder = pool.open("holder", 1, 0);
                ChunkWindow next = pool.open("next", 1, 0)) {
            Chunk only = holder.acquire();
            assertNull(thrower.tryAcquire(() -> {
                throw new IllegalStateException("on purpose");
            }));
            Future<Chunk> waiting = audit.executor().submit(next::acquire);
            while (pool.waiting() < 2) {
                Thread.onSpinWait();
            }
            assertTrue(only.release());
            thrower.close();
            waiting.get(10, TimeUnit.SECONDS).release();
        }
    }

    @Test
    void patienceOfZeroRefusesAtOnceAndSaysHowFull() throws IOException {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(2 * CHUNK).patience(Duration.ZERO));
        try (ChunkWindow holder = pool.open("holder", 2, 2)) {
            Chunk chunk = holder.acquire();
            long start = System.nanoTime();
            BudgetExhaustedException refused =
                    assertThrows(BudgetExhaustedException.class, () -> pool.open("late", 1, 1));
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(1));
            assertTrue(refused.retriable());
            assertEquals(2 * CHUNK, refused.limit());
            assertEquals(CHUNK, refused.actual());
            try (ChunkWindow unreserved = pool.open("unreserved", 1, 0)) {
                assertThrows(BudgetExhaustedException.class, unreserved::acquire);
                assertNull(unreserved.tryAcquire());
            }
            chunk.release();
        }
        assertEquals(0, pool.waiting());
    }

    @Test
    void whoTakesSeveralAtATimeIsCalledOnceForThem() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 4 * CHUNK);
        AtomicInteger calls = new AtomicInteger();
        try (ChunkWindow window = pool.open("strides", 4, 0)) {
            List<Chunk> out = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                out.add(window.acquire());
            }
            window.callBack(1, calls::incrementAndGet);
            out.get(0).release();
            out.get(1).release();
            assertEquals(0, calls.get(), "two are free, three were asked for");
            assertEquals(0, pool.waiting(), "nothing of the budget is asked for meanwhile");
            out.get(2).release();
            assertEquals(1, calls.get());
            out.get(3).release();
            assertEquals(1, calls.get(), "once");
            window.callBack(1, calls::incrementAndGet);
            assertEquals(2, calls.get(), "what came free before is told at once");
        }
    }

    @Test
    void whoTakesSeveralAtATimeIsCalledForABudgetThatAllowsFewer() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        AtomicInteger calls = new AtomicInteger();
        try (ChunkWindow crowd = pool.open("crowd", 2, 0);
                ChunkWindow window = pool.open("strides", 4, 0)) {
            Chunk first = crowd.acquire();
            Chunk second = crowd.acquire();
            window.callBack(1, calls::incrementAndGet);
            assertEquals(0, calls.get());
            first.release();
            assertEquals(1, calls.get());
            Chunk had = window.tryAcquire();
            assertNotNull(had);
            assertNull(window.tryAcquire());
            had.release();
            second.release();
        }
    }

    @Test
    void idleWindowIsToldOfWhenItsLastChunkIsBack() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 4 * CHUNK);
        AtomicInteger calls = new AtomicInteger();
        ChunkWindow window = pool.open("kept", 4, 0);
        Chunk first = window.acquire();
        Chunk second = window.acquire();
        window.callBack(1, () -> {
            throw new AssertionError("it is not for this any more");
        });
        window.whenIdle(() -> {
            window.close();
            calls.incrementAndGet();
        });
        first.release();
        assertEquals(0, calls.get());
        second.release();
        assertEquals(1, calls.get());
        window.callBack(3, calls::incrementAndGet);
        assertEquals(1, calls.get(), "a closed window calls nobody");
        assertEquals(pool.budgetBytes(), pool.freeBytes());
    }

    @Test
    void deadlineEndsAWaitForTheBudgetAndLeavesTheLine() throws IOException {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(CHUNK).patience(Duration.ofMillis(50)));
        try (ChunkWindow holder = pool.open("holder", 1, 1);
                ChunkWindow unreserved = pool.open("unreserved", 1, 0)) {
            long start = System.nanoTime();
            assertThrows(BudgetExhaustedException.class, () -> pool.open("late", 1, 1));
            long waited = System.nanoTime() - start;
            assertTrue(waited >= TimeUnit.MILLISECONDS.toNanos(50), waited + " ns");
            assertThrows(BudgetExhaustedException.class, unreserved::acquire);
            assertTrue(unreserved.budgetStallNanos() >= TimeUnit.MILLISECONDS.toNanos(50));
            assertEquals(0, unreserved.windowStallNanos());
            assertEquals(0, pool.waiting());
            holder.acquire().release();
        }
    }

    @Test
    void whoHoldsAChunkNeverTimesOut() throws Exception {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(CHUNK).patience(Duration.ofMillis(20)));
        try (ChunkWindow window = pool.open("sender", 2, 1)) {
            Chunk sent = window.acquire();
            Future<?> sending = audit.executor().submit(() -> {
                Thread.sleep(200);
                return sent.release();
            });
            window.acquire().release();
            sending.get();
            assertTrue(window.budgetStallNanos() >= TimeUnit.MILLISECONDS.toNanos(100));
        }
    }

    @Test
    void lineIsServedInTheOrderOfArrival() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        int waiters = 50;
        List<Integer> served = new ArrayList<>();
        List<Future<?>> tasks = new ArrayList<>();
        try (ChunkWindow holder = pool.open("holder", 1, 1)) {
            assertNotNull(holder);
            for (int i = 0; i < waiters; i++) {
                int place = i;
                tasks.add(audit.executor().submit(() -> {
                    try (ChunkWindow window = pool.open("waiter " + place, 1, 1)) {
                        assertNotNull(window);
                        synchronized (served) {
                            served.add(place);
                        }
                    }
                    return null;
                }));
                awaitWaiting(pool, i + 1);
            }
        }
        for (Future<?> task : tasks) {
            task.get();
        }
        for (int i = 0; i < waiters; i++) {
            assertEquals(i, served.get(i), served.toString());
        }
        audit.cases(waiters);
    }

    @Test
    void nobodyOvertakesALargeReserveInLine() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 4 * CHUNK);
        ChunkWindow holder = pool.open("holder", 2, 2);
        Future<ChunkWindow> large = audit.executor().submit(() -> pool.open("large", 4, 4));
        awaitWaiting(pool, 1);
        try (ChunkWindow small = pool.open("small", 1, 0)) {
            assertNull(small.tryAcquire(), "two permits are free, but somebody waits for four");
            assertEquals(2 * CHUNK, pool.freeBytes());
            holder.close();
            ChunkWindow opened = large.get();
            assertEquals(0, pool.freeBytes());
            opened.close();
            Chunk chunk = small.tryAcquire();
            assertNotNull(chunk);
            chunk.release();
        }
    }

    @Test
    void withdrawnHeadOfTheLineLetsTheNextOneIn() throws Exception {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(4 * CHUNK).patience(Duration.ofMillis(100)));
        ChunkWindow holder = pool.open("holder", 2, 2);
        Future<?> large = audit.executor().submit(() -> {
            assertThrows(BudgetExhaustedException.class, () -> pool.open("large", 4, 4));
        });
        awaitWaiting(pool, 1);
        Future<ChunkWindow> small = audit.executor().submit(() -> {
            ChunkWindow window = null;
            while (window == null) {
                try {
                    window = pool.open("small", 2, 2);
                } catch (BudgetExhaustedException e) {
                    assertEquals(0, pool.liveBytes());
                }
            }
            return window;
        });
        large.get();
        small.get().close();
        holder.close();
    }

    @Test
    void interruptEndsAWaitAndKeepsTheFlag() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        ChunkWindow holder = pool.open("holder", 1, 1);
        Chunk held = holder.acquire();
        List<Future<?>> tasks = new ArrayList<>();
        ConcurrentLinkedQueue<Thread> threads = new ConcurrentLinkedQueue<>();
        tasks.add(audit.executor().submit(() -> {
            threads.add(Thread.currentThread());
            assertThrows(InterruptedIOException.class, () -> pool.open("reserve", 1, 1));
            assertTrue(Thread.interrupted());
        }));
        tasks.add(audit.executor().submit(() -> {
            threads.add(Thread.currentThread());
            try (ChunkWindow window = pool.open("acquire", 1, 0)) {
                assertThrows(InterruptedIOException.class, window::acquire);
                assertTrue(Thread.interrupted());
            }
            return null;
        }));
        awaitWaiting(pool, 2);
        threads.forEach(Thread::interrupt);
        for (Future<?> task : tasks) {
            task.get();
        }
        assertEquals(0, pool.waiting());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedIOException.class, holder::acquire);
        assertTrue(Thread.interrupted());
        held.release();
        holder.close();
    }

    @Test
    void cancelledWindowFailsThePresentAndEveryLaterAcquire() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        ChunkWindow window = pool.open("cancelled", 1, 1);
        Chunk held = window.acquire();
        Future<?> waiter = audit.executor().submit(() -> {
            assertThrows(InterruptedIOException.class, window::acquire);
            assertFalse(Thread.currentThread().isInterrupted(), "a cancel is no interrupt");
        });
        Thread.sleep(20);
        window.interruptAcquire();
        waiter.get();
        held.release();
        assertThrows(InterruptedIOException.class, window::acquire);
        window.close();
    }

    @Test
    void callBackComesOnceForEachRegistration() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        AtomicInteger calls = new AtomicInteger();
        try (ChunkWindow holder = pool.open("holder", 1, 1);
                ChunkWindow window = pool.open("called", 1, 1)) {
            Chunk own = window.tryAcquire(calls::incrementAndGet);
            assertNotNull(own);
            assertEquals(0, window.waiting());
            assertNull(window.tryAcquire(calls::incrementAndGet), "its window is full");
            assertEquals(0, calls.get());
            assertEquals(1, window.waiting());
            own.release();
            assertEquals(0, window.waiting());
            assertEquals(1, calls.get());
            window.tryAcquire().release();
            assertEquals(1, calls.get(), "not again without a new registration");
            holder.acquire().release();
        }
    }

    @Test
    void callBackComesWhenAnotherResultFreesTheBudget() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        AtomicInteger calls = new AtomicInteger();
        try (ChunkWindow called = pool.open("called", 1, 0)) {
            ChunkWindow holder = pool.open("holder", 1, 1);
            assertNull(called.tryAcquire(calls::incrementAndGet));
            assertEquals(1, pool.waiting());
            assertEquals(0, calls.get());
            holder.close();
            assertEquals(1, calls.get());
            Chunk chunk = called.tryAcquire(calls::incrementAndGet);
            assertNotNull(chunk);
            chunk.release();
            assertEquals(1, calls.get());
        }
    }

    @Test
    void windowClosedWhileInLineGivesItsPlaceBack() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        ChunkWindow holder = pool.open("holder", 1, 1);
        ChunkWindow first = pool.open("first", 1, 0);
        ChunkWindow second = pool.open("second", 1, 0);
        AtomicInteger calls = new AtomicInteger();
        assertNull(first.tryAcquire(() -> {}));
        assertNull(second.tryAcquire(calls::incrementAndGet));
        assertEquals(2, pool.waiting());
        first.close();
        assertEquals(1, pool.waiting());
        holder.close();
        assertEquals(1, calls.get());
        second.close(); // its claim is granted, and never used
        assertEquals(0, pool.waiting());
        assertEquals(CHUNK, pool.freeBytes());
    }

    @Test
    void callBacksAreNeverLostUnderContention() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        int rounds = LeakAudit.FULL ? 500_000 : 10_000;
        AtomicInteger waits = new AtomicInteger();
        List<Future<?>> tasks = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            String name = "caller " + t;
            tasks.add(audit.executor().submit(() -> {
                Semaphore called = new Semaphore(0);
                try (ChunkWindow window = pool.open(name, 1, 0)) {
                    for (int i = 0; i < rounds; i++) {
                        Chunk chunk = window.tryAcquire(called::release);
                        while (chunk == null) {
                            waits.incrementAndGet();
                            assertTrue(called.tryAcquire(20, TimeUnit.SECONDS), "the call back was lost");
                            chunk = window.tryAcquire(called::release);
                        }
                        assertTrue(pool.liveBytes() <= pool.budgetBytes());
                        chunk.release();
                    }
                }
                return null;
            }));
        }
        for (Future<?> task : tasks) {
            task.get();
        }
        audit.cases(4L * rounds);
        audit.figure(waits + " of them waited to be called");
    }

    @Test
    void liveNeverExceedsWindowOrBudgetAtAnyAcquire() throws Exception {
        int permits = 7;
        ChunkPool pool = audit.pool(CHUNK, (long) permits * CHUNK);
        int rounds = LeakAudit.FULL ? 300_000 : 10_000;
        int threads = 4;
        AtomicInteger out = new AtomicInteger();
        SplittableRandom seeds = new SplittableRandom(audit.seed());
        List<Future<?>> tasks = new ArrayList<>();
        ConcurrentLinkedQueue<Chunk> elsewhere = new ConcurrentLinkedQueue<>();
        for (int t = 0; t < threads; t++) {
            SplittableRandom random = seeds.split();
            int size = 1 + t;
            int reserve = t % 2;
            tasks.add(audit.executor().submit(() -> {
                ChunkWindow window = pool.open("sampler " + size, size, reserve);
                ArrayDeque<Chunk> own = new ArrayDeque<>();
                for (int i = 0; i < rounds; i++) {
                    Chunk chunk = own.size() < size ? window.tryAcquire() : null;
                    if (chunk != null) {
                        assertTrue(out.incrementAndGet() <= permits);
                        assertTrue(window.live() >= 1 && window.live() <= size);
                        assertTrue(pool.liveBytes() <= pool.budgetBytes());
                        own.add(chunk);
                    }
                    if (!own.isEmpty() && random.nextInt(3) == 0) {
                        out.decrementAndGet();
                        elsewhere.add(own.remove()); // released by whichever thread comes along
                    }
                    Chunk found = random.nextBoolean() ? elsewhere.poll() : null;
                    if (found != null) {
                        found.release();
                    }
                }
                out.addAndGet(-own.size());
                own.forEach(Chunk::release);
                window.close();
                return window.peak();
            }));
        }
        for (int t = 0; t < threads; t++) {
            assertTrue((int) tasks.get(t).get() <= 1 + t);
        }
        elsewhere.forEach(Chunk::release);
        assertTrue(pool.peakLiveBytes() <= pool.budgetBytes());
        assertEquals(0, pool.liveBytes());
        audit.cases((long) threads * rounds);
    }

    @Test
    void blockedAcquirersAllGetThrough() throws Exception {
        // Windows without a reserve, one permit: each must be woken by another's release.
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        int threads = 16;
        int rounds = LeakAudit.FULL ? 20_000 : 500;
        List<Future<?>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            String name = "turn " + t;
            tasks.add(audit.executor().submit(() -> {
                try (ChunkWindow window = pool.open(name, 2, 0)) {
                    for (int i = 0; i < rounds; i++) {
                        window.acquire().release();
                    }
                }
                return null;
            }));
        }
        for (Future<?> task : tasks) {
            task.get();
        }
        assertEquals(CHUNK, pool.peakLiveBytes());
        audit.cases((long) threads * rounds);
    }

    private static void awaitWaiting(ChunkPool pool, int n) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (pool.waiting() != n) {
            assertTrue(System.nanoTime() < deadline, pool.waiting() + " wait, not " + n);
            Thread.sleep(1);
        }
    }
}
