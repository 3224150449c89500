// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NaiveLz4;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A listener that keeps its buffers stops the decoder at the window, and each release wakes it exactly once. */
final class BackPressureTest {

    private static final int CHUNK = 512;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final List<ByteBuf> kept = new ArrayList<>();
    private int available;

    private final class Keeper extends Recording {
        @Override
        public void onPayload(ByteBuf bytes) throws IOException {
            super.onPayload(bytes);
            kept.add(bytes.retain());
        }
    }

    private static byte[] stream(int frames) {
        FrameBytes stream = FrameBytes.connection().open();
        for (int i = 0; i < frames; i++) {
            stream.data(new byte[300]);
        }
        return stream.end().toBytes();
    }

    @Test
    void fullWindowStopsTheDecoderUntilOneChunkIsReleased() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        for (int window = 1; window <= 5; window++) {
            available = 0;
            Keeper listener = new Keeper();
            ByteBuffer bytes = ByteBuffer.wrap(stream(20));
            try (ResultDecoder decoder =
                    ResultReader.builder(pool).window(window).decoder(listener, () -> available++)) {
                int stops = 0;
                while (!decoder.accept(bytes)) {
                    stops++;
                    assertEquals(window, kept.size());
                    assertEquals((long) window * CHUNK, pool.liveBytes());
                    assertEquals((long) window * CHUNK, decoder.liveBytes());
                    assertEquals(stops - 1, available, "not before a release");
                    int position = bytes.position();
                    assertFalse(decoder.accept(bytes), "and nothing has changed");
                    assertEquals(position, bytes.position());
                    kept.remove(0).release();
                    assertEquals(stops, available, "once");
                }
                decoder.endOfInput();
                // The last body and the end frame need a chunk, too.
                assertEquals(20 - window + 1, stops);
                assertEquals(6_000, listener.reports().get(0).payload().length);
                assertEquals((long) window * CHUNK, decoder.peakLiveBytes());
                assertEquals((long) window * CHUNK, listener.summaries().get(0).peakLiveBytes());
            }
            int called = available;
            kept.forEach(ByteBuf::release);
            kept.clear();
            assertEquals(called, available, "nothing is told after the close");
            assertEquals(0, pool.liveBytes());
        }
    }

    @Test
    void closeWhileStoppedIsNotCalledBack() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultDecoder decoder = ResultReader.builder(pool).window(2).decoder(new Keeper(), () -> available++);
        assertFalse(decoder.accept(ByteBuffer.wrap(stream(20))));
        decoder.close();
        kept.forEach(ByteBuf::release);
        assertEquals(0, available);
    }

    @Test
    void spentBudgetStopsTheDecoderUntilAnotherGivesBack() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 3 * CHUNK);
        byte[] stream = stream(4);
        List<ByteBuf> hoard = new ArrayList<>();
        Recording other = new Recording() {
            @Override
            public void onPayload(ByteBuf bytes) throws IOException {
                super.onPayload(bytes);
                hoard.add(bytes.retain());
            }
        };
        Keeper listener = new Keeper();
        try (ResultDecoder decoder = ResultReader.builder(pool).window(3).decoder(listener, () -> available++);
                ResultDecoder hoarder = ResultReader.builder(pool).window(2).decoder(other, () -> {})) {
            assertFalse(hoarder.accept(ByteBuffer.wrap(stream)));
            ByteBuffer bytes = ByteBuffer.wrap(stream);
            assertFalse(decoder.accept(bytes), "its reserve is kept, and the rest is with the other");
            assertEquals(1, kept.size());
            assertEquals(1, pool.waiting());
            assertEquals(0, available);
            hoard.remove(0).release();
            assertEquals(1, available, "the other gave one back");
            assertFalse(decoder.accept(bytes));
            assertEquals(2, kept.size());
            kept.remove(0).release();
            assertEquals(2, available, "its own came back");
            assertFalse(decoder.accept(bytes));
            assertEquals(2, kept.size());
            hoard.forEach(ByteBuf::release);
            kept.forEach(ByteBuf::release);
            kept.clear();
            assertTrue(decoder.accept(bytes));
            kept.forEach(ByteBuf::release);
            decoder.endOfInput();
        }
        assertEquals(1, listener.summaries().size());
    }

    @Test
    void expansionWaitsForItsChunkWithoutMoreBytes() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        FrameBytes stream = FrameBytes.connection().compression(1).open();
        for (int i = 0; i < 4; i++) {
            stream.compressed(2, NaiveLz4.run(i, 100), 100);
        }
        int beforeEnd = stream.toBytes().length;
        byte[] bytes = stream.end().toBytes();
        for (boolean netty : new boolean[] {false, true}) {
            Keeper listener = new Keeper();
            try (ResultDecoder decoder = ResultReader.builder(pool)
                    .window(2)
                    .compression(new NaiveBlocks())
                    .decoder(listener, () -> available++)) {
                boolean used = decoder.accept(ByteBuffer.wrap(bytes, 0, beforeEnd));
                for (int i = 0; !used; i++) {
                    assertEquals(i + 1, listener.callbacks() - 1);
                    kept.remove(0).release();
                    // What was left may be nothing: then the frame is whole, and its expansion is what waits.
                    // Each stop is at a whole frame whose expansion waits, so what is left begins with the frame behind
                    // it.
                    int from = Streams.frameOffsets(bytes).get(2 + i + 2);
                    used = netty
                            ? decoder.accept(Unpooled.wrappedBuffer(bytes, from, beforeEnd - from))
                            : decoder.accept(ByteBuffer.wrap(bytes, from, beforeEnd - from));
                }
                assertEquals(5, listener.callbacks(), "opened, and all four expanded");
                kept.forEach(ByteBuf::release);
                kept.clear();
                assertTrue(decoder.accept(ByteBuffer.wrap(bytes, beforeEnd, bytes.length - beforeEnd)));
                decoder.endOfInput();
            }
            assertEquals(400, listener.reports().get(0).payload().length);
        }
    }

    @Test
    void bufferThatMetSpentMemoryGoesOnWhereItStopped(@TempDir Path directory) throws Exception {
        try (ChildJvm child = ChildJvm.of(DecoderExhaustion.class, directory)
                .options("-Xmx64m")
                .start()) {
            List<String> lines = child.lines(Duration.ofSeconds(30));
            assertTrue(ChildJvm.number(lines, "failures") > 0, lines::toString);
            assertEquals(0, ChildJvm.number(lines, "left"));
            assertEquals(64 * 300, ChildJvm.number(lines, "payload"));
            assertEquals(1, ChildJvm.number(lines, "complete"));
        }
    }

    /** Knows whether a decoder is at its bytes, and what is to happen before it has told how far it came. */
    private static class Watched extends UnpooledHeapByteBuf {
        private volatile boolean inAccept;

        Watched(byte[] bytes) {
            super(UnpooledByteBufAllocator.DEFAULT, bytes, bytes.length);
        }

        @Override
        public ByteBuffer nioBuffer() {
            inAccept = true;
            return super.nioBuffer();
        }

        @Override
        public ByteBuf skipBytes(int length) {
            beforeSkip();
            super.skipBytes(length);
            inAccept = false;
            return this;
        }

        void beforeSkip() {}
    }

    @Test
    void chunkThatComesBackDuringAcceptIsUsedThere() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        Keeper listener = new Keeper();
        Watched bytes = new Watched(stream(20)) {
            @Override
            void beforeSkip() {
                if (!kept.isEmpty()) {
                    Future<?> other =
                            audit.executor().submit(() -> kept.remove(0).release());
                    assertDoesNotThrow(() -> other.get(10, TimeUnit.SECONDS));
                }
            }
        };
        try (ResultDecoder decoder = ResultReader.builder(pool).window(1).decoder(listener, () -> {
            available++;
            assertFalse(bytes.inAccept);
        })) {
            assertTrue(decoder.accept(bytes));
            decoder.endOfInput();
        }
        assertEquals(0, available, "there was no need");
        assertEquals(6_000, listener.reports().get(0).payload().length);
        bytes.release();
    }

    @Test
    void releaseOnAnotherThreadNeverLosesTheWakeUp() throws Exception {
        Random random = audit.random();
        long rounds = 0;
        long stops = 0;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LeakAudit.FULL ? 120 : 3);
        while (System.nanoTime() < deadline) {
            int connections = 1 + random.nextInt(3);
            int window = 1 + random.nextInt(3);
            // Never more than all their windows, and down to their reserves: then they wait for each other's chunks.
            int budget = connections + random.nextInt(connections * window - connections + 1);
            stops += round(connections, window, budget, random.nextLong());
            rounds++;
            audit.requireWhole();
        }
        audit.cases(rounds);
        audit.figure(stops + " stops, each called back once");
    }

    private long round(int connections, int window, int budget, long seed) throws Exception {
        ChunkPool pool = ChunkPool.builder()
                .chunkBytes(CHUNK)
                .budgetBytes((long) budget * CHUNK)
                .build();
        BlockingQueue<Optional<ByteBuf>> lent = new LinkedBlockingQueue<>();
        Semaphore done = new Semaphore(0);
        List<Future<Long>> readers = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            readers.add(audit.executor().submit(() -> {
                try {
                    return readAll(pool, window, lent);
                } finally {
                    done.release();
                }
            }));
        }
        Future<?> releaser = audit.executor().submit(() -> {
            Random random = new Random(seed);
            for (Optional<ByteBuf> next = lent.take(); next.isPresent(); next = lent.take()) {
                if (random.nextInt(8) == 0) {
                    LockSupport.parkNanos(random.nextInt(20_000));
                }
                next.get().release();
            }
            return null;
        });
        boolean all = done.tryAcquire(connections, 20, TimeUnit.SECONDS);
        String stuck =
                "connections " + connections + ", window " + window + ", budget " + budget + "\n" + pool.report();
        lent.put(Optional.empty());
        assertTrue(all, () -> "a wake-up was lost: " + stuck);
        releaser.get();
        long stops = 0;
        for (Future<Long> reader : readers) {
            stops += result(reader);
        }
        assertEquals(0, pool.liveBytes(), pool::report);
        assertEquals(pool.budgetBytes(), pool.freeBytes());
        assertTrue(pool.peakLiveBytes() <= (long) connections * window * CHUNK);
        assertEquals(0, pool.waiting());
        pool.close();
        return stops;
    }

    private static long result(Future<Long> reader) throws InterruptedException {
        try {
            return reader.get();
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    /** What an I/O thread does: gives bytes, and when it is told to wait, waits for the call. Returns how often it was. */
    private static long readAll(ChunkPool pool, int window, BlockingQueue<Optional<ByteBuf>> lent)
            throws IOException, InterruptedException {
        Semaphore calls = new Semaphore(0);
        Recording listener = new Recording() {
            @Override
            public void onPayload(ByteBuf bytes) throws IOException {
                super.onPayload(bytes);
                lent.add(Optional.of(bytes.retain()));
            }
        };
        Watched bytes = new Watched(stream(60));
        AtomicInteger early = new AtomicInteger();
        long stops = 0;
        try (ResultDecoder decoder = ResultReader.builder(pool).window(window).decoder(listener, () -> {
            early.addAndGet(bytes.inAccept ? 1 : 0);
            calls.release();
        })) {
            while (!decoder.accept(bytes)) {
                stops++;
                assertTrue(calls.tryAcquire(15, TimeUnit.SECONDS), "not called back");
                assertEquals(0, calls.availablePermits(), "called twice");
            }
            decoder.endOfInput();
        }
        bytes.release();
        assertEquals(0, early.get(), "called before accept had moved the buffer on");
        assertEquals(1, listener.summaries().size());
        return stops;
    }
}
