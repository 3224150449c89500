// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ResourceLeakDetector;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** However a connection ends, the sending thread is told and every chunk comes back. */
@SuppressWarnings("FutureReturnValueIgnored") // what became of them is seen otherwise
class NettySinkEndTest {

    private static final int CHUNK = 16 << 10;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** What may happen to a sender that waits for its channel. */
    enum End {
        PEER_CLOSES {
            @Override
            void happen(NettyLoop loop, NettySink sink) throws IOException {
                loop.plain().close();
            }
        },
        EMBEDDER_CLOSES {
            @Override
            void happen(NettyLoop loop, NettySink sink) {
                loop.netty().close();
            }
        },
        SINK_CLOSED {
            @Override
            void happen(NettyLoop loop, NettySink sink) {
                sink.close();
            }
        },
        HANDLER_REMOVED {
            @Override
            void happen(NettyLoop loop, NettySink sink) {
                loop.netty().pipeline().remove(NettyWatch.NAME);
            }
        },
        EVENT_LOOP_ENDS {
            @Override
            void happen(NettyLoop loop, NettySink sink) {
                loop.shutDown();
            }
        },
        EVENT_LOOP_KILLED {
            @Override
            void happen(NettyLoop loop, NettySink sink) {
                loop.kill();
            }
        };

        /** A killed loop loses what the transport holds; that is Netty's, and known. */
        void prepareAudit() {
            if (this == EVENT_LOOP_KILLED) {
                ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
            }
        }

        abstract void happen(NettyLoop loop, NettySink sink) throws Exception;
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void aWaitingWriteThrows(End end) throws Exception {
        audit.usesNettyBuffers();
        end.prepareAudit();
        ChunkPool pool = audit.pool(CHUNK, 1 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory);
                Frames frames = Frames.open(pool, 8)) {
            Future<IOException> sender = audit.executor()
                    .submit(() -> assertThrows(IOException.class, () -> {
                        while (true) {
                            frames.write(sink);
                        }
                    }));
            Eventually.settlesAt("live chunks", 5, () -> pool.liveBytes() / CHUNK);
            end.happen(loop, sink);
            sender.get(20, TimeUnit.SECONDS);
            assertThrows(IOException.class, () -> frames.write(sink), "the end is final");
            loop.netty().close().awaitUninterruptibly();
            Eventually.isTrue("all chunks are back", () -> frames.live() == 0);
        }
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void aWaitingCompleteThrows(End end) throws Exception {
        end.prepareAudit();
        ChunkPool pool = audit.pool(CHUNK, 1 << 20);
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory, 40);
                Frames frames = Frames.open(pool, 60)) {
            for (int i = 0; i < 40 || frames.live() < 10; i++) {
                frames.write(sink);
            }
            Future<IOException> sender = audit.executor().submit(() -> assertThrows(IOException.class, sink::complete));
            Eventually.isTrue("waits", () -> frames.live() > 0);
            end.happen(loop, sink);
            sender.get(20, TimeUnit.SECONDS);
            loop.netty().close().awaitUninterruptibly();
            Eventually.isTrue("all chunks are back", () -> frames.live() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aResultFailsWhenThePeerGoesAndItsChunksAreBackAtOnce(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 1 << 20);
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open();
                NettySink sink = NettySink.open(loop.netty(), memory)) {
            Future<?> sender = audit.executor()
                    .submit(() ->
                            encoder.encode(new ResultId("job", 1, 1, 0), Sample.CODEC, new Sample(1, 1 << 20), sink));
            Eventually.isTrue("stuck", () -> sink.chunksInside() == 4);
            loop.plain().close();
            Throwable thrown = assertThrows(ExecutionException.class, () -> sender.get(20, TimeUnit.SECONDS))
                    .getCause();
            assertEquals(0, pool.liveBytes(), pool.report());
            ResultFailedException failed = assertInstanceOf(ResultFailedException.class, thrown);
            assertEquals(FailurePhase.SINK, failed.failure().phase());
            assertInstanceOf(IOException.class, failed.getCause());
        }
    }

    @Test
    void aWriteThatFailsIsToldByTheNextWriteAndByComplete() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 1 << 20);
        IOException fault = new IOException("no");
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(new FailsAt(2, fault)));
                NettySink sink = NettySink.open(loop.netty(), memory);
                Frames frames = Frames.open(pool, 8)) {
            frames.write(sink); // behind the preamble, which is the first write
            Eventually.isTrue("failed", () -> frames.live() == 0);
            IOException told = assertThrows(IOException.class, () -> frames.write(sink));
            assertEquals(fault, told.getCause());
            assertEquals(fault, assertThrows(IOException.class, sink::complete).getCause());
            assertTrue(loop.netty().isActive(), "closing it is the embedder's choice");
        }
    }

    /** Fails one write of many, counted from 1. */
    private static final class FailsAt extends ChannelOutboundHandlerAdapter {
        private final int failing;
        private final IOException fault;
        private int writes;

        FailsAt(int failing, IOException fault) {
            this.failing = failing;
            this.fault = fault;
        }

        @Override
        public void write(ChannelHandlerContext context, Object bytes, ChannelPromise promise) {
            writes++;
            if (writes == failing) {
                ReferenceCountUtil.release(bytes);
                promise.setFailure(fault);
            } else {
                context.write(bytes, promise);
            }
        }
    }

    @Test
    void aFailedHeaderFailsTheSinkThoughItsBodyGoesOut() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 1 << 20);
        IOException fault = new IOException("no");
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        // 1 the preamble, 2 the open frame, 3 the header of the first cut
        try (NettyMemory memory = NettyMemory.forChunks(CHUNK);
                NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(new FailsAt(3, fault)));
                NettySink sink = NettySink.open(loop.netty(), memory)) {
            audit.executor().execute(() -> drain(loop));
            try (ResultWriter writer = encoder.open(new ResultId("job", 1, 1, 0), "bytes/1", sink)) {
                byte[] bytes = new byte[CHUNK - 32];
                ResultFailedException failed = assertThrows(ResultFailedException.class, () -> {
                    writer.payload().writeOutOfBand(bytes, 0, bytes.length);
                    writer.finish();
                });
                assertEquals(fault, failed.getCause().getCause());
            }
        }
    }

    private static void drain(NettyLoop loop) {
        try {
            NettySinkFlowTest.drain(loop.plain());
        } catch (IOException e) {
            assertTrue(!loop.plain().isOpen(), e::toString);
        }
    }
}
