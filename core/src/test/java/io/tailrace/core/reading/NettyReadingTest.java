// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
import io.tailrace.core.NettyResultDecoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.NettySource;
import io.tailrace.core.testing.FrameVector;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every vector through the handlers of a pipeline and through a reader that reads ahead, in every fragmentation. */
final class NettyReadingTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static final PooledByteBufAllocator ALLOCATOR =
            new PooledByteBufAllocator(true, 0, 1, 8192, 3, 0, 0, false);

    private interface Case {
        void run(FrameVector vector, Cuts cuts) throws Exception;
    }

    private void everyVectorInEveryFragmentation(Case each) throws Exception {
        Random random = audit.random();
        int cases = 0;
        for (FrameVector vector : VectorsReadingTest.vectors().toList()) {
            for (Cuts cuts : Cuts.all(vector.bytes(), random)) {
                each.run(vector, cuts);
                audit.requireWhole();
                cases++;
            }
        }
        audit.cases(cases);
    }

    @Test
    void aDecoderInAPipelineReportsAsExpected() throws Exception {
        Reading reading = Reading.of(pool());
        everyVectorInEveryFragmentation((vector, cuts) -> {
            Recording recording = new Recording();
            EmbeddedChannel channel = new EmbeddedChannel(new NettyResultDecoder(reading.builder(), recording));
            byte[] stream = vector.bytes();
            for (int from = 0; from < stream.length && channel.isOpen(); ) {
                int to = cuts.end(from, stream.length);
                assertFalse(channel.writeInbound(direct(stream, from, to)), "passed on");
                from = to;
            }
            channel.finish();
            recording.ended();
            compare(vector, cuts + " pushed", recording.reports());
            assertEquals(0, ALLOCATOR.pinnedDirectMemory(), "bytes of buffers not released");
        });
    }

    @Test
    void aReaderOverAPipelineReportsAsExpected() throws Exception {
        audit.usesNettyBuffers();
        Reading reading = Reading.of(pool());
        try (NettyLoop loop = NettyLoop.open()) {
            everyVectorInEveryFragmentation((vector, cuts) -> {
                try (NettySource source = new NettySource(1 + cuts.positions().length % 4)) {
                    loop.onLoop(() -> loop.netty().pipeline().addLast(source));
                    loop.netty().eventLoop().execute(() -> push(loop.netty(), source, vector.bytes(), cuts));
                    compare(vector, cuts + " read", Reading.pull(reading.builder(), source.channel()));
                }
            });
            loop.onLoop(() -> {});
            assertEquals(0, ALLOCATOR.pinnedDirectMemory(), "bytes of buffers not released");
        }
    }

    private static void push(Channel channel, NettySource source, byte[] stream, Cuts cuts) {
        for (int from = 0; from < stream.length; ) {
            int to = cuts.end(from, stream.length);
            channel.pipeline().fireChannelRead(direct(stream, from, to));
            from = to;
        }
        channel.pipeline().remove(source);
    }

    @Test
    void aReaderThatReadsAheadReportsAsExpected() throws Exception {
        Reading reading = Reading.of(pool());
        everyVectorInEveryFragmentation((vector, cuts) -> compare(
                vector,
                cuts + " read ahead",
                Reading.pull(reading.builder().readingOn(audit.executor()), new Reading.Pieces(vector.bytes(), cuts))));
    }

    private ChunkPool pool() {
        return audit.pool(ReferenceDecoder.USUAL_CHUNK, 8L * ReferenceDecoder.USUAL_CHUNK);
    }

    private static ByteBuf direct(byte[] stream, int from, int to) {
        return ALLOCATOR.directBuffer(to - from).writeBytes(stream, from, to - from);
    }

    private static void compare(FrameVector vector, String how, List<Reported> reports) {
        FrameVector told = vector.without("stream", "chunk", "compression"); // which a listener does not learn
        assertEquals(List.of(), told.differences(reports), () -> how + ": " + vector.description());
    }
}
