// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.EventExecutor;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NettySinkTest {

    private static final int RESULTS = 5;
    private static final int OUT_OF_BAND = 100_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void resultsArriveAsWritten(boolean threaded) throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = audit.pool(4096, 256 << 10);
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        try (NettyMemory memory = NettyMemory.forChunks(4096);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory)) {
            Future<Integer> received = audit.executor().submit(() -> readAll(pool, loop.plain()));
            for (int i = 0; i < RESULTS; i++) {
                write(encoder, sink, i);
                assertEquals(0, sink.chunksInside(), "inside Netty when the result was finished");
            }
            loop.netty().close().sync();
            assertEquals(RESULTS, received.get(20, TimeUnit.SECONDS));
        }
    }

    /** Longs in place, then bytes by reference from heap and from direct memory. */
    private static void write(ResultEncoder encoder, FrameSink sink, int task) throws IOException {
        try (ResultWriter writer = encoder.open(new ResultId("job", 1, task, 0), Sample.CODEC.id(), sink)) {
            Sample.CODEC.encode(new Sample(task, 20_000), writer.payload());
            byte[] bytes = outOfBand(task);
            writer.payload().writeOutOfBand(bytes, 0, bytes.length);
            writer.payload()
                    .writeOutOfBand(
                            ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
            writer.trailer().writeUtf8("done");
            writer.finish();
        }
    }

    private static byte[] outOfBand(int task) {
        byte[] bytes = new byte[OUT_OF_BAND];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 + task);
        }
        return bytes;
    }

    static int readAll(ChunkPool pool, ReadableByteChannel channel) throws IOException {
        try (ResultReader reader = ResultReader.builder(pool).open(channel)) {
            int results = 0;
            while (reader.nextResult()) {
                int task = (int) reader.id().task();
                WireInput in = reader.payload();
                Sample sample = new Sample(task, 20_000);
                for (int i = 0; i < sample.count(); i++) {
                    assertEquals(sample.at(i), in.readLong());
                }
                assertArrayEquals(outOfBand(task), in.readByteArray(OUT_OF_BAND));
                assertArrayEquals(outOfBand(task), in.readByteArray(OUT_OF_BAND));
                assertEquals("done", reader.trailer().readUtf8());
                reader.finish();
                results++;
            }
            return results;
        }
    }

    @Test
    void writingOrCompletingOnAnEventLoopOfTheGroupIsRefused() throws Exception {
        try (NettyMemory memory = NettyMemory.forChunks(1024);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory)) {
            int loops = 0;
            for (EventExecutor executor : loop.group()) {
                executor.submit(() -> {
                            assertThrows(IllegalStateException.class, () -> sink.write(new FrameBatch()));
                            assertThrows(IllegalStateException.class, sink::complete);
                        })
                        .sync();
                loops++;
            }
            assertEquals(2, loops);
            sink.write(new FrameBatch());
            sink.complete();
        }
        EmbeddedChannel embedded = new EmbeddedChannel();
        try (NettyMemory memory = NettyMemory.forChunks(1024);
                NettySink sink = NettySink.open(embedded, memory)) {
            assertThrows(IllegalStateException.class, () -> sink.write(new FrameBatch()));
        } finally {
            embedded.finishAndReleaseAll();
        }
    }

    @Test
    void theChannelHasOurAllocatorMarkAndHandlerWhileTheSinkIsOpenAndStaysOpenAfterwards() throws Exception {
        try (NettyMemory memory = NettyMemory.forChunks(64 << 10);
                NettyLoop loop = NettyLoop.open()) {
            ByteBufAllocator before = loop.netty().config().getAllocator();
            assertEquals(64 << 10, loop.netty().config().getWriteBufferHighWaterMark());
            NettySink sink = NettySink.open(loop.netty(), memory);
            assertSame(memory.allocator(), loop.netty().config().getAllocator());
            assertTrue(loop.netty().pipeline().names().contains(NettyWatch.NAME));
            assertTrue(loop.netty().config().getWriteBufferHighWaterMark() > (256 << 10));
            assertThrows(IllegalArgumentException.class, () -> NettySink.open(loop.netty(), memory));
            sink.close();
            sink.close();
            assertSame(before, loop.netty().config().getAllocator());
            assertEquals(64 << 10, loop.netty().config().getWriteBufferHighWaterMark());
            assertNull(loop.netty().pipeline().get(NettyWatch.NAME));
            assertTrue(loop.netty().isActive());
            IOException refused = assertThrows(IOException.class, () -> writeOneChunk(sink));
            assertEquals("the sink is closed", refused.getMessage());
        }
    }

    private void writeOneChunk(NettySink sink) throws IOException {
        ChunkPool pool = audit.pool(1024, 1 << 20);
        try (Frames frames = Frames.open(pool, 1)) {
            frames.write(sink);
        }
    }

    @Test
    void aSinkClosedAfterItsChannelFindsNothingToRemove() throws Exception {
        try (NettyMemory memory = NettyMemory.forChunks(1024);
                NettyLoop loop = NettyLoop.open()) {
            NettySink sink = NettySink.open(loop.netty(), memory);
            loop.netty().close().sync();
            loop.shutDown();
            sink.close();
            sink.close();
            assertFalse(loop.netty().isOpen());
        }
    }
}
