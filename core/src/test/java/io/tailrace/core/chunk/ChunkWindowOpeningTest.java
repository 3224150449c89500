// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.tailrace.core.testing.LeakAudit;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ChunkWindowOpeningTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void aWindowOpenedWithoutWaitingGivesNothingUntilItsWholeReserveIsThere() throws Exception {
        ChunkPool pool = audit.pool(512, 3 * 512);
        AtomicInteger calls = new AtomicInteger();
        ChunkWindow first = pool.open("first", 2, 2);
        try (ChunkWindow later = pool.openWithoutWaiting("later", 3, 2)) {
            assertEquals(1, pool.waiting());
            assertNull(later.tryAcquire(calls::incrementAndGet), "one is free, but the reserve is two");
            assertEquals(0, calls.get());
            first.close();
            assertEquals(1, calls.get());
            assertEquals(0, pool.waiting());
            Chunk a = assertNotNullChunk(later.tryAcquire(calls::incrementAndGet));
            Chunk b = assertNotNullChunk(later.tryAcquire());
            Chunk c = assertNotNullChunk(later.tryAcquire());
            assertNull(later.tryAcquire());
            a.release();
            b.release();
            c.release();
            assertEquals(1, calls.get());
        }
    }

    private static Chunk assertNotNullChunk(Chunk chunk) {
        assertNotNull(chunk);
        return chunk;
    }

    @Test
    void aReserveThatIsFreeIsTakenAtOnce() throws Exception {
        ChunkPool pool = audit.pool(512, 3 * 512);
        try (ChunkWindow window = pool.openWithoutWaiting("window", 3, 2)) {
            assertEquals(512, pool.freeBytes());
            Chunk chunk = assertNotNullChunk(window.tryAcquire());
            chunk.release();
        }
        assertThrows(IllegalArgumentException.class, () -> pool.openWithoutWaiting("window", 4, 4));
    }

    @Test
    void aWindowClosedInLineOrAfterItsReserveWasGrantedUnseenGivesAllBack() throws Exception {
        ChunkPool pool = audit.pool(512, 2 * 512);
        ChunkWindow first = pool.open("first", 2, 2);
        pool.openWithoutWaiting("closed in line", 2, 2).close();
        assertEquals(0, pool.waiting());
        ChunkWindow granted = pool.openWithoutWaiting("granted", 2, 2);
        first.close();
        assertEquals(0, pool.freeBytes());
        granted.close();
        assertEquals(2 * 512, pool.freeBytes());
    }

    @Test
    void anAcquireWaitsForTheReserveOfAWindowOpenedWithoutWaiting() throws Exception {
        ChunkPool pool = audit.pool(512, 2 * 512);
        ChunkWindow first = pool.open("first", 2, 2);
        try (ChunkWindow later = pool.openWithoutWaiting("later", 2, 2)) {
            Future<?> acquired = audit.executor().submit(() -> later.acquire().release());
            Thread.sleep(5);
            first.close();
            acquired.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void aSplitWindowSharesPlacesAndReserve() throws Exception {
        ChunkPool pool = audit.pool(512, 4 * 512);
        try (ChunkWindow one = pool.open("one", 4, 2);
                ChunkWindow other = one.split("other", 3, 1)) {
            assertEquals(1, one.size());
            assertEquals(3, other.size());
            assertEquals(2 * 512, pool.freeBytes());
            try (ChunkWindow rest = pool.open("the rest", 2, 2)) {
                Chunk a = one.acquire();
                Chunk b = other.acquire();
                assertNull(one.tryAcquire());
                assertNull(other.tryAcquire(), "the budget is spent");
                a.release();
                b.release();
                Chunk own = assertNotNullChunk(rest.tryAcquire());
                own.release();
            }
        }
    }

    @Test
    void onlyAFreshWindowIsSplit() throws Exception {
        ChunkPool pool = audit.pool(512, 4 * 512);
        try (ChunkWindow window = pool.open("window", 3, 2)) {
            assertThrows(IllegalArgumentException.class, () -> window.split("other", 3, 1), "nothing would be left");
            assertThrows(IllegalArgumentException.class, () -> window.split("other", 1, 2), "reserve above places");
            assertThrows(IllegalArgumentException.class, () -> window.split("other", 2, 0), "reserve above the rest");
            Chunk chunk = window.acquire();
            assertThrows(IllegalStateException.class, () -> window.split("other", 1, 1));
            chunk.release();
        }
    }

    /** The first of a full window's chunks to come back is enough, whatever its reserve. */
    @Test
    void aFullWindowGoesOnWithTheFirstChunkThatComesBack() throws Exception {
        ChunkPool pool = audit.pool(512, 16 * 512);
        CountDownLatch waits = new CountDownLatch(1);
        try (ChunkWindow window = pool.open("window", 3, 1)) {
            Chunk a = window.acquire();
            Chunk b = window.acquire();
            Chunk c = window.acquire();
            Future<Chunk> fourth = audit.executor().submit(() -> {
                waits.countDown();
                return window.acquire();
            });
            waits.await();
            Thread.sleep(20);
            a.release();
            fourth.get(10, TimeUnit.SECONDS).release();
            b.release();
            c.release();
        }
    }
}
