// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class ChunkPoolTest {

    private static final int CHUNK = 512;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void capacityIsCountedExactlyWhateverIsWritten() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 4 * CHUNK + CHUNK - 1);
        assertEquals(4 * CHUNK, pool.budgetBytes(), "rounded down to whole chunks");
        try (ChunkWindow window = pool.open("counter", 4, 0)) {
            List<Chunk> chunks = new ArrayList<>();
            for (int n = 1; n <= 4; n++) {
                Chunk chunk = window.acquire();
                chunk.writeZero(n % 2 == 0 ? CHUNK : 1);
                chunks.add(chunk);
                assertEquals(n, window.live());
                assertEquals((long) n * CHUNK, pool.liveBytes());
                assertEquals((long) (4 - n) * CHUNK, pool.freeBytes());
            }
            assertNull(window.tryAcquire());
            for (int n = 3; n >= 0; n--) {
                chunks.get(n).release();
                assertEquals((long) n * CHUNK, pool.liveBytes());
                assertEquals((long) (4 - n) * CHUNK, pool.freeBytes());
            }
            assertEquals(4, window.peak());
            assertEquals(4 * CHUNK, pool.peakLiveBytes());
        }
    }

    @Test
    void budgetBelowOneChunkIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> audit.pool(CHUNK, CHUNK - 1));
        assertThrows(IllegalArgumentException.class, () -> audit.pool(CHUNK, -1));
        assertThrows(
                IllegalArgumentException.class, () -> ChunkPool.builder().chunkBytes(ChunkPool.MIN_CHUNK_BYTES - 1));
        assertThrows(
                IllegalArgumentException.class, () -> ChunkPool.builder().chunkBytes(ChunkPool.MAX_CHUNK_BYTES + 1));
        assertThrows(IllegalArgumentException.class, () -> ChunkPool.builder().patience(Duration.ofMillis(-1)));
    }

    @Test
    void windowOrReserveOutOfRangeIsRefused() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        assertThrows(IllegalArgumentException.class, () -> pool.open("none", 0, 0));
        assertThrows(IllegalArgumentException.class, () -> pool.open("negative", 1, -1));
        assertThrows(IllegalArgumentException.class, () -> pool.open("greedy", 1, 2));
        assertThrows(IllegalArgumentException.class, () -> pool.open("never", 3, 3));
        pool.open("fits", 3, 2).close();
    }

    @Test
    void slabIsUsedAgainAndStartsEmpty() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        try (ChunkWindow window = pool.open("again", 2, 0)) {
            Chunk first = window.acquire();
            byte[] slab = first.array();
            first.writeZero(100);
            first.attach(ByteBuffer.wrap(new byte[10]), 0, 10, null);
            first.readByte();
            first.release();
            Chunk second = window.acquire();
            assertSame(slab, second.array());
            assertEquals(0, second.readerIndex());
            assertEquals(0, second.writerIndex());
            assertNull(second.body());
            assertEquals(CHUNK, second.capacity());
            second.release();
        }
    }

    @Test
    void capacityOfAChunkIsFixed() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        try (ChunkWindow window = pool.open("fixed", 1, 1)) {
            Chunk chunk = window.acquire();
            assertThrows(UnsupportedOperationException.class, () -> chunk.capacity(CHUNK + 1));
            assertThrows(UnsupportedOperationException.class, () -> chunk.capacity(CHUNK - 1));
            assertSame(chunk, chunk.capacity(CHUNK));
            chunk.writeZero(CHUNK);
            assertThrows(RuntimeException.class, () -> chunk.writeByte(1));
            chunk.release();
        }
    }

    @Test
    void chunkIsChargedUntilItsLastReferenceGoesOnWhicheverThread() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        ChunkWindow window = pool.open("shared", 1, 1);
        Chunk chunk = window.acquire();
        chunk.writeInt(0x01020304);
        ByteBuf slice = chunk.retainedSlice(1, 2);
        assertFalse(chunk.release());
        assertEquals(CHUNK, pool.liveBytes());
        byte[] seen = new byte[2];
        Future<?> elsewhere = audit.executor().submit(() -> {
            slice.readBytes(seen);
            assertTrue(slice.release());
        });
        elsewhere.get();
        assertArrayEquals(new byte[] {2, 3}, seen);
        assertEquals(0, pool.liveBytes());
        assertEquals(0, window.live());
        window.close();
    }

    @Test
    void releaseFromAnotherThreadWakesTheAcquirer() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int rounds = LeakAudit.FULL ? 1_000_000 : 20_000;
        try (ChunkWindow window = pool.open("ping", 1, 1)) {
            for (int i = 0; i < rounds; i++) {
                Chunk chunk = window.acquire(); // with a window of one: only after the other thread's release
                chunk.writeInt(i);
                audit.executor().execute(chunk::release);
            }
            Chunk last = window.acquire();
            last.release();
            assertEquals(1, window.peak());
        }
        audit.cases(rounds);
    }

    @Test
    void closingWithChunksOutNamesHolderAndStageOfEach() throws IOException {
        ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(4 * CHUNK).build();
        ChunkWindow left = pool.open("result left", 2, 1);
        ChunkWindow right = pool.open("result right", 2, 1);
        Chunk a = left.acquire();
        Chunk b = right.acquire();
        b.touch(ChunkStage.SENDING);
        Chunk gone = right.acquire();
        gone.release();
        String report = pool.report();
        assertTrue(report.contains("held by result left at WRITING"), report);
        assertTrue(report.contains("held by result right at SENDING"), report);
        assertEquals(2, report.lines().count(), report);
        IllegalStateException told = assertThrows(IllegalStateException.class, pool::close);
        assertTrue(told.getMessage().startsWith("2 chunks are out at close"), told.getMessage());
        assertTrue(told.getMessage().contains(report), told.getMessage());
        a.release();
        b.release();
        left.close();
        right.close();
        assertEquals(0, pool.liveBytes());
        assertEquals(4 * CHUNK, pool.freeBytes());
        assertEquals("", pool.report());
        pool.close();
    }

    @Test
    void closedPoolGivesNothing() throws IOException {
        ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(2 * CHUNK).build();
        ChunkWindow window = pool.open("late", 2, 1);
        pool.close();
        assertThrows(IllegalStateException.class, window::acquire);
        assertThrows(IllegalStateException.class, window::tryAcquire);
        assertThrows(IllegalStateException.class, () -> pool.open("later", 1, 1));
        assertEquals(0, window.live());
        window.close();
        assertEquals(2 * CHUNK, pool.freeBytes());
    }

    @Test
    void doubleReleaseIsReportedWithBothStacks() throws Exception {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(CHUNK).paranoid(true));
        try (ChunkWindow window = pool.open("paranoid", 1, 1)) {
            Chunk chunk = acquireHere(window);
            byte[] slab = chunk.array();
            Thread other = new Thread(() -> releaseThere(chunk), "releaser");
            other.start();
            other.join();
            Chunk next = window.acquire(); // the slab is in use again: the second release must not reach it
            assertNotSame(chunk, next);
            assertSame(slab, next.array());
            IllegalReferenceCountException told = assertThrows(IllegalReferenceCountException.class, chunk::release);
            String text = told.getMessage();
            assertTrue(text.contains("released twice"), text);
            assertTrue(text.contains("acquireHere"), text);
            assertTrue(text.contains("released by releaser"), text);
            assertTrue(text.contains("releaseThere"), text);
            assertEquals(1, next.refCnt());
            assertEquals(CHUNK, pool.liveBytes());
            next.release();
        }
    }

    @Test
    void paranoidPoolReportsWhereAChunkWasAcquired() throws IOException {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(CHUNK).paranoid(true));
        try (ChunkWindow window = pool.open("who", 1, 1)) {
            for (int i = 0; i < 3; i++) {
                Chunk chunk = acquireHere(window);
                assertTrue(pool.report().contains("acquireHere"), pool.report());
                chunk.release();
                assertEquals("", pool.report());
            }
        }
    }

    @Test
    void secondReleaseIsRefusedWithoutParanoiaToo() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        try (ChunkWindow window = pool.open("plain", 1, 1)) {
            Chunk chunk = window.acquire();
            chunk.release();
            assertThrows(IllegalReferenceCountException.class, chunk::release);
            assertEquals(0, pool.liveBytes());
            assertEquals(0, window.live());
        }
    }

    @Test
    void failedSlabAllocationGivesPermitAndPlaceBackAndFailsAResultRetriably(@TempDir Path directory) throws Exception {
        try (ChildJvm child =
                ChildJvm.of(SlabExhaustion.class, directory).options("-Xmx64m").start()) {
            List<String> lines = child.lines(Duration.ofSeconds(30));
            assertTrue(ChildJvm.number(lines, "failures") > 0);
            assertEquals(1, ChildJvm.number(lines, "resultFailedRetriably"), lines.toString());
            audit.figure(ChildJvm.number(lines, "slabs") + " slabs of 4 MiB fitted a heap of 64 MiB");
        }
    }

    @Test
    void looseChunkIsOnNoLedger() {
        ChunkPool pool = audit.pool(CHUNK, CHUNK);
        Chunk loose = Chunk.loose(100);
        loose.writeZero(100);
        assertEquals(0, pool.liveBytes());
        assertTrue(loose.release());
        assertEquals("", pool.report());
    }

    @Test
    void windowsBeyondTheLargestBudgetQueueForIt() throws Exception {
        // More windows than permits: each opens when one before it closes.
        ChunkPool pool = audit.pool(CHUNK, 2 * CHUNK);
        int windows = 200;
        CountDownLatch done = new CountDownLatch(windows);
        List<Future<?>> tasks = new ArrayList<>();
        for (int i = 0; i < windows; i++) {
            String name = "window " + i;
            tasks.add(audit.executor().submit(() -> {
                try (ChunkWindow window = pool.open(name, 2, 1)) {
                    Chunk chunk = window.acquire();
                    assertTrue(pool.liveBytes() <= pool.budgetBytes());
                    chunk.release();
                }
                done.countDown();
                return null;
            }));
        }
        assertTrue(done.await(20, TimeUnit.SECONDS), pool.report());
        for (Future<?> task : tasks) {
            task.get();
        }
        audit.cases(windows);
    }

    @Test
    void poolBuiltWithDefaultsHoldsWholeChunks() {
        ChunkPool pool = audit.pool(ChunkPool.builder());
        assertEquals(ChunkPool.DEFAULT_CHUNK_BYTES, pool.chunkBytes());
        assertEquals(ChunkPool.DEFAULT_BUDGET_BYTES, pool.budgetBytes());
        assertEquals(0, pool.waiting());
    }

    private static Chunk acquireHere(ChunkWindow window) throws IOException {
        return window.acquire();
    }

    private static void releaseThere(Chunk chunk) {
        chunk.release();
    }
}
