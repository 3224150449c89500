// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.WriteBufferWaterMark;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A peer that reads when it is told to: what waits, where, and what it costs meanwhile. */
class NettySinkFlowTest {

    private static final int CHUNK = 64 << 10;
    private static final int CHUNKS = 64;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @ParameterizedTest
    @CsvSource({"1, 8", "2, 8", "4, 8", "4, 3", "8, 4"})
    void aChunkStaysOnTheLedgerUntilItsWriteHasCompleted(int inside, int window) throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory, inside);
                Frames frames = Frames.open(pool, window)) {
            AtomicInteger written = new AtomicInteger();
            Future<?> sender = audit.executor().submit(() -> {
                for (int i = 0; i < CHUNKS; i++) {
                    frames.write(sink);
                    written.incrementAndGet();
                }
                sink.complete();
                return null;
            });
            // The sender stands with one more in its hand than Netty has, unless its window ends first.
            int live = Math.min(inside + 1, window);
            Eventually.settlesAt("live chunks", live, () -> pool.liveBytes() / CHUNK);
            assertEquals(Math.min(inside, window), sink.chunksInside());
            assertEquals(live, pool.report().lines().count());
            String connection = loop.netty().localAddress().toString();
            assertTrue(
                    pool.report()
                                    .lines()
                                    .filter(line -> line.contains(connection))
                                    .count()
                            >= sink.chunksInside(),
                    () -> "does not name " + connection + ":\n" + pool.report());
            assertTrue(written.get() < CHUNKS);

            receive(loop.plain(), CHUNKS);
            sender.get(20, TimeUnit.SECONDS);
            assertEquals(0, sink.chunksInside());
            assertEquals(0, pool.liveBytes());
            assertEquals((long) live * CHUNK, pool.peakLiveBytes());
        }
    }

    /** Expects the preamble and so many chunks, the bytes of each its number. */
    private static void receive(SocketChannel channel, int chunks) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(CHUNK);
        read(channel, bytes.limit(16));
        assertEquals(ByteBuffer.wrap(FrameBatch.preamble(FrameBatch.Purpose.CONNECTION)), bytes);
        for (int i = 0; i < chunks; i++) {
            read(channel, bytes.clear());
            assertEquals(CHUNK, bytes.remaining());
            byte number = (byte) i;
            while (bytes.hasRemaining()) {
                assertEquals(number, bytes.get());
            }
        }
    }

    private static void read(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            assertTrue(channel.read(bytes) > 0, "the stream ends");
        }
        bytes.flip();
    }

    @Test
    void directMemoryIsBoundedByTheChunksInsideWhereUnflushedWritesTakeAllOfThem() throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        long trap;
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                ChunkWindow window = pool.open("raw writes", CHUNKS, 1)) {
            loop.netty().config().setAllocator(memory.allocator());
            long idle = memory.lentBytes();
            for (int i = 0; i < CHUNKS; i++) {
                Chunk chunk = window.acquire();
                chunk.setIndex(0, CHUNK);
                loop.netty().write(chunk).addListener(written -> {});
            }
            loop.onLoop(() -> {});
            trap = memory.lentBytes() - idle;
            assertEquals(0, pool.liveBytes(), "on no ledger of ours any more");
            assertEquals((long) CHUNKS * CHUNK, trap);
        }
        int inside = NettySink.DEFAULT_CHUNKS_INSIDE;
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory);
                Frames frames = Frames.open(pool, CHUNKS)) {
            long idle = memory.lentBytes();
            assertEquals(512 << 10, memory.regionBytes());
            Future<?> sender = audit.executor().submit(() -> {
                for (int i = 0; i < CHUNKS; i++) {
                    frames.write(sink);
                }
                sink.complete();
                return null;
            });
            Eventually.settlesAt("live chunks", inside + 1L, () -> pool.liveBytes() / CHUNK);
            long lent = memory.lentBytes() - idle;
            assertTrue(lent <= (long) inside * CHUNK, lent + " bytes lent");
            assertEquals(memory.regionBytes(), sink.outsideBytes());
            audit.figure(CHUNKS + " chunks written: " + trap + " bytes outside the pool in Netty's own way, " + lent
                    + " through the sink, " + sink.outsideBytes() + " taken from the JVM");
            receive(loop.plain(), CHUNKS);
            sender.get(20, TimeUnit.SECONDS);
            assertEquals(memory.regionBytes(), memory.usedBytes(), "one region stays");
            Eventually.isTrue("all given back", () -> memory.lentBytes() == idle);
        }
    }

    @Test
    void theSinkWaitsWhileOthersMakeTheChannelUnwritable() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory);
                Frames frames = Frames.open(pool, 4)) {
            loop.onLoop(() -> loop.netty().unsafe().outboundBuffer().setUserDefinedWritability(1, false));
            Future<?> sender = audit.executor().submit(() -> {
                frames.write(sink);
                sink.complete();
                return null;
            });
            Eventually.settlesAt("live chunks", 1, () -> pool.liveBytes() / CHUNK);
            assertEquals(0, sink.chunksInside());
            loop.onLoop(() -> loop.netty().unsafe().outboundBuffer().setUserDefinedWritability(1, true));
            receive(loop.plain(), 1);
            sender.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void aHighWaterMarkLoweredMeanwhileIsHeeded() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory);
                Frames frames = Frames.open(pool, 8)) {
            loop.netty().config().setWriteBufferWaterMark(new WriteBufferWaterMark(CHUNK / 2, CHUNK));
            Future<?> sender = audit.executor().submit(() -> {
                for (int i = 0; i < CHUNKS; i++) {
                    frames.write(sink);
                }
                sink.complete();
                return null;
            });
            Eventually.isTrue(
                    "stuck", () -> sink.chunksInside() > 0 && !loop.netty().isWritable());
            receive(loop.plain(), CHUNKS);
            sender.get(20, TimeUnit.SECONDS);
            assertTrue(pool.peakLiveBytes() <= 3L * CHUNK, pool.peakLiveBytes() + " bytes");
        }
    }

    @Test
    void anInterruptEndsTheWaitKeepsItsFlagAndLeavesTheSinkSound() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory, 1);
                Frames frames = Frames.open(pool, 8)) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            AtomicInteger written = new AtomicInteger();
            Future<Boolean> sender = audit.executor().submit(() -> {
                thread.set(Thread.currentThread());
                assertThrows(InterruptedIOException.class, () -> {
                    while (true) {
                        frames.write(sink);
                        written.incrementAndGet();
                    }
                });
                return Thread.interrupted();
            });
            Eventually.settlesAt("live chunks", 2, () -> pool.liveBytes() / CHUNK);
            thread.get().interrupt();
            assertTrue(sender.get(20, TimeUnit.SECONDS), "the flag is lost");
            assertEquals(1, frames.live(), "the chunk inside Netty");

            Future<?> receiver = audit.executor().submit(() -> {
                receive(loop.plain(), written.get());
                ByteBuffer next = ByteBuffer.allocate(CHUNK);
                read(loop.plain(), next);
                assertEquals((byte) (written.get() + 1), next.get(), "the next one behind the one that was dropped");
                return null;
            });
            frames.write(sink);
            sink.complete();
            receiver.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void aBodyIsNotCopiedAndItsCarrierStaysUntilItIsWritten() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 << 20);
        ResultEncoder encoder = ResultEncoder.builder(pool).window(3).build();
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory)) {
            long idle = memory.lentBytes();
            ByteBuffer large = ByteBuffer.allocateDirect(4 << 20);
            Future<?> sender = audit.executor().submit(() -> {
                try (ResultWriter writer = encoder.open(new ResultId("job", 1, 1, 0), "bytes/1", sink)) {
                    writer.payload().writeOutOfBand(large);
                    writer.finish();
                }
                return null;
            });
            Eventually.settlesAt("live chunks", 3, () -> pool.liveBytes() / CHUNK);
            long lent = memory.lentBytes() - idle;
            assertTrue(lent <= 8 << 10, lent + " bytes lent: only headers are copied");
            assertFalse(sender.isDone());
            Future<Long> receiver = audit.executor().submit(() -> drain(loop.plain()));
            sender.get(20, TimeUnit.SECONDS);
            loop.netty().close().sync();
            assertTrue(receiver.get(20, TimeUnit.SECONDS) > 4 << 20);
        }
    }

    static long drain(SocketChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(CHUNK);
        long total = 0;
        for (int n = channel.read(bytes); n >= 0; n = channel.read(bytes.clear())) {
            total += n;
        }
        return total;
    }
}
