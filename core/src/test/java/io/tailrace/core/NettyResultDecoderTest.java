// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutorGroup;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.ReadsOn;
import io.tailrace.core.testing.Streams;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NettyResultDecoderTest {

    private static final int CHUNK = 1024;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** Keeps every payload buffer, and writes down the rest. */
    private static final class Keeper implements ResultListener {
        private final ConcurrentLinkedQueue<ByteBuf> kept = new ConcurrentLinkedQueue<>();
        private final List<String> told = new CopyOnWriteArrayList<>();
        private volatile ResultException failure;
        private Runnable atPayload = () -> {};
        private Runnable atFailure = () -> {};
        private volatile Thread failedOn;

        @Override
        public void onOpen(ResultId id, String codecId) {
            told.add("open " + id.task());
        }

        @Override
        public void onPayload(ByteBuf payload) {
            kept.add(payload.retain());
            atPayload.run();
        }

        @Override
        public void onTrailer(ByteBuf trailer) {
            told.add("trailer");
        }

        @Override
        public void onEnd(ResultSummary summary) {
            told.add("end " + summary.id().task());
        }

        @Override
        public void onFailure(ResultId id, ResultException reason) {
            failure = reason;
            failedOn = Thread.currentThread();
            told.add("failure " + (id == null ? "of none" : id.task()));
            atFailure.run();
        }

        boolean releaseOne() {
            ByteBuf oldest = kept.poll();
            return oldest != null && oldest.release();
        }

        void releaseAll() {
            kept.forEach(ByteBuf::release);
            kept.clear();
        }
    }

    private ChunkPool pool(int chunks) {
        return audit.pool(CHUNK, (long) chunks * CHUNK);
    }

    private static NettyResultDecoder decoder(ChunkPool pool, int window, ResultListener listener) {
        return new NettyResultDecoder(ResultReader.builder(pool).window(window), listener);
    }

    @Test
    void aSpentWindowStopsReadingUntilAChunkComesBack() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        Keeper keeper = new Keeper();
        NettyResultDecoder decoder = decoder(pool, 3, keeper);
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        ByteBuf bytes = Unpooled.copiedBuffer(stream);
        channel.writeInbound(bytes);
        int rounds = 0;
        while (keeper.told.size() < 2) {
            assertFalse(channel.config().isAutoRead());
            assertEquals(3, keeper.kept.size());
            assertEquals(3L * CHUNK, pool.liveBytes());
            assertEquals(1, bytes.refCnt(), "what is not decoded is kept");
            assertEquals(bytes.capacity(), decoder.outsideBytes());
            assertTrue(keeper.releaseOne());
            assertEquals(3, keeper.kept.size() + 1, "nothing is decoded on the thread that releases");
            channel.runPendingTasks();
            rounds++;
        }
        assertTrue(rounds >= 5, rounds + " rounds");
        assertEquals(List.of("open 0", "end 0"), keeper.told);
        assertTrue(channel.config().isAutoRead());
        assertEquals(0, bytes.refCnt());
        assertEquals(0, decoder.outsideBytes());
        keeper.releaseAll();
        channel.finish();
        assertEquals(2, keeper.told.size());
    }

    @Test
    void aChannelWhoseOwnerAsksForEachReadIsLeftInThatMode() throws Exception {
        ChunkPool pool = pool(8);
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 1, keeper));
        channel.config().setAutoRead(false);
        channel.writeInbound(Unpooled.copiedBuffer(Streams.of(pool, 1, 1000)));
        while (keeper.releaseOne()) {
            channel.runPendingTasks();
        }
        assertEquals("end 0", keeper.told.get(1));
        assertFalse(channel.config().isAutoRead());
        channel.finish();
    }

    @Test
    void aDecoderWhoseReserveIsNotFreeWaitsForItWithoutBlocking() throws Exception {
        ChunkPool pool = pool(2);
        byte[] stream = Streams.of(pool, 1, 50);
        ChunkWindow other = pool.open("other", 2, 2);
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 2, keeper));
        channel.writeInbound(Unpooled.copiedBuffer(stream));
        assertFalse(channel.config().isAutoRead());
        assertEquals(List.of(), keeper.told);
        other.close();
        channel.runPendingTasks();
        assertEquals(List.of("open 0", "end 0"), keeper.told);
        assertTrue(channel.config().isAutoRead());
        keeper.releaseAll();
        channel.finish();
    }

    @Test
    void aReserveAboveTheWholeBudgetRefusesTheHandler() {
        ChunkPool pool = pool(1);
        NettyResultDecoder decoder =
                new NettyResultDecoder(ResultReader.builder(pool).window(2).compression(new PackBits()), new Keeper());
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.pipeline().addLast(decoder);
        Throwable refused = assertThrows(ChannelPipelineException.class, channel::checkException);
        assertInstanceOf(IllegalArgumentException.class, refused.getCause());
        assertNull(channel.pipeline().get(NettyResultDecoder.class));
        channel.finish();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001\u0002\u0000\u0001", "hello"})
    void aStrangerIsToldApartAndTheChannelIsClosed(String greeting) {
        ChunkPool pool = pool(2);
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 2, keeper));
        ByteBuf bytes = Unpooled.copiedBuffer(greeting, US_ASCII);
        channel.writeInbound(bytes);
        assertFalse(channel.isOpen());
        assertEquals(List.of("failure of none"), keeper.told);
        assertTrue(
                assertInstanceOf(MalformedDataException.class, keeper.failure).framingLost());
        assertEquals(greeting.startsWith("GET"), keeper.failure.getMessage().contains("(HTTP)"));
        assertEquals(greeting.charAt(0) == 0x16, keeper.failure.getMessage().contains("(TLS)"));
        assertEquals(0, bytes.refCnt());
        channel.finish();
        assertEquals(1, keeper.told.size());
    }

    @Test
    void framingLostInsideAResultIsToldOnceAndClosesTheChannel() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        int at = 16;
        for (int frame = 0; frame < 3; frame++) {
            at += 32 + ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN).getInt(at + 16);
        }
        stream[at + 5] ^= 1; // in the fourth frame's header
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 4, keeper));
        channel.writeInbound(Unpooled.copiedBuffer(stream));
        assertFalse(channel.isOpen());
        assertEquals(List.of("open 0", "failure 0"), keeper.told);
        channel.finish();
        assertEquals(2, keeper.told.size());
        keeper.releaseAll();
    }

    @Test
    void aChannelThatEndsInsideAResultTruncatesIt() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        for (int length : new int[] {0, 7, 16, 40, 2000, stream.length - 1}) {
            Keeper keeper = new Keeper();
            EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 8, keeper));
            channel.writeInbound(Unpooled.copiedBuffer(stream, 0, length));
            channel.finish();
            boolean clean = length == 16; // no result had begun
            assertEquals(!clean, keeper.failure instanceof TruncatedResultException, () -> "after " + length);
            keeper.releaseAll();
            audit.requireWhole();
        }
    }

    @Test
    void aChannelThatEndsWhileBytesWaitForAChunkTellsSo() throws Exception {
        ChunkPool pool = pool(8);
        ByteBuf bytes = Unpooled.copiedBuffer(Streams.of(pool, 1, 1000));
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 2, keeper));
        channel.writeInbound(bytes);
        channel.close().syncUninterruptibly();
        channel.runPendingTasks();
        assertEquals(List.of("open 0", "failure 0"), keeper.told);
        assertEquals("the channel ended before all was decoded", keeper.failure.reason());
        assertEquals(Streams.id(0), keeper.failure.resultId());
        assertTrue(keeper.failure.offset() > CHUNK, keeper.failure::toString);
        assertEquals(0, bytes.refCnt());
        keeper.releaseAll(); // calls back a decoder that is gone
        channel.runPendingTasks();
        channel.finish();

        ChunkWindow other = pool.open("other", 8, 8);
        keeper = new Keeper();
        channel = new EmbeddedChannel(decoder(pool, 2, keeper));
        bytes = Unpooled.copiedBuffer(Streams.of(audit.pool(CHUNK, 8 * CHUNK), 1, 10));
        channel.writeInbound(bytes);
        channel.close().syncUninterruptibly();
        assertEquals(List.of("failure of none"), keeper.told, "a whole result had arrived, and nobody saw it");
        assertEquals(0, bytes.refCnt());
        channel.finish();
        other.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8})
    void aHandlerRemovedByItsListenerDecodesNoFurther(int window) throws Exception {
        ChunkPool pool = pool(8);
        Keeper keeper = new Keeper();
        ChannelHandler decoder = decoder(pool, window, keeper);
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        keeper.atPayload = () -> channel.pipeline().remove(decoder);
        ByteBuf first = Unpooled.copiedBuffer(Streams.of(pool, 1, 1000));
        channel.writeInbound(first);
        assertEquals(List.of("open 0", "failure 0"), keeper.told);
        assertEquals(1, keeper.kept.size());
        assertEquals(0, first.refCnt());
        assertTrue(channel.config().isAutoRead());
        ByteBuf second = Unpooled.copiedBuffer("more", US_ASCII);
        assertTrue(channel.writeInbound(second), "passed on: nobody takes it here");
        assertSame(second, channel.readInbound());
        second.release();
        keeper.releaseAll();
        channel.finish();
    }

    @Test
    void whatIsNoBufferIsPassedOn() {
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool(8), 8, new Keeper()));
        assertTrue(channel.writeInbound("text"));
        assertEquals("text", channel.readInbound());
        channel.finish();
    }

    @Test
    void aReceiverThatNeverReleasesHoldsItsWindowAndOneRead() throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = pool(64);
        byte[] stream = Streams.of(pool, 1, 200_000);
        Keeper keeper = new Keeper();
        try (NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(decoder(pool, 5, keeper)))) {
            Future<?> sender = audit.executor().submit(() -> {
                write(loop, stream);
                return null;
            });
            Eventually.settlesAt("live chunks", 5, () -> pool.liveBytes() / CHUNK);
            assertFalse(loop.netty().config().isAutoRead());
            assertFalse(sender.isDone(), "the sender has sent all into a stopped receiver");
            // Chunks come back on this thread from here on, as fast as it can.
            Future<?> closed = audit.executor().submit(() -> {
                sender.get(20, TimeUnit.SECONDS);
                loop.plain().close();
                return loop.netty().closeFuture().await(20, TimeUnit.SECONDS);
            });
            while (!closed.isDone()) {
                keeper.releaseOne();
            }
            assertEquals(true, closed.get());
            loop.onLoop(() -> {});
            keeper.releaseAll();
            assertEquals(List.of("open 0", "end 0"), keeper.told);
            assertEquals(5L * CHUNK, pool.peakLiveBytes());
        }
    }

    @Test
    void aKilledEventLoopTruncatesTheOpenResultAndGivesItsReserveBack() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        Keeper keeper = new Keeper();
        try (NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(decoder(pool, 8, keeper)))) {
            write(loop, Arrays.copyOf(stream, stream.length / 2));
            Eventually.isTrue("opened", () -> !keeper.kept.isEmpty());
            loop.kill();
            Eventually.isTrue("told", () -> keeper.told.size() == 2);
            assertEquals(List.of("open 0", "failure 0"), keeper.told);
            keeper.releaseAll();
            Eventually.isTrue("all is free", () -> pool.freeBytes() == pool.budgetBytes());
        }
    }

    @Test
    @SuppressWarnings("deprecation") // Netty means to do without such executors, but has them
    void aHandlerWithAnExecutorOfItsOwnIsToldThereThatTheEventLoopHasEnded() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        Keeper keeper = new Keeper();
        EventExecutorGroup own = new DefaultEventExecutorGroup(1, new DefaultThreadFactory("tailrace-own", true));
        try (NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(own, decoder(pool, 8, keeper)))) {
            write(loop, Arrays.copyOf(stream, stream.length / 2));
            Eventually.isTrue("opened", () -> !keeper.kept.isEmpty());
            loop.kill();
            Eventually.isTrue("told", () -> keeper.told.size() == 2);
            assertTrue(keeper.failedOn.getName().startsWith("tailrace-own"), keeper.failedOn::getName);
            keeper.releaseAll();
        } finally {
            own.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    @Test
    void aHandlerAddedToAChannelThatHasClosedEndsAtOnce() {
        ChunkPool pool = pool(2);
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.close().syncUninterruptibly();
        channel.pipeline().addLast(decoder(pool, 2, keeper));
        assertEquals(List.of("failure of none"), keeper.told);
        assertInstanceOf(TruncatedResultException.class, keeper.failure);
        assertEquals(pool.budgetBytes(), pool.freeBytes());
    }

    @Test
    void aPeerThatShutsItsOutputInsideAResultTruncatesIt() throws Exception {
        ChunkPool pool = pool(8);
        byte[] stream = Streams.of(pool, 1, 1000);
        Keeper keeper = new Keeper();
        AtomicReference<Object> passedOn = new AtomicReference<>();
        try (NettyLoop loop = NettyLoop.open(channel -> {
            channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            channel.pipeline().addLast(decoder(pool, 8, keeper), new ChannelInboundHandlerAdapter() {
                @Override
                public void userEventTriggered(ChannelHandlerContext context, Object event) {
                    passedOn.compareAndSet(null, event);
                }
            });
        })) {
            write(loop, Arrays.copyOf(stream, stream.length / 2));
            loop.plain().shutdownOutput();
            Eventually.isTrue("passed on", () -> passedOn.get() == ChannelInputShutdownEvent.INSTANCE);
            assertEquals(List.of("open 0", "failure 0"), keeper.told);
            assertInstanceOf(TruncatedResultException.class, keeper.failure);
            assertTrue(loop.netty().isOpen(), "the other direction is the embedder's");
        }
        keeper.releaseAll();
    }

    @Test
    void anErrorWhileDecodingIsTheCauseThatTheOpenResultIsTold() throws Exception {
        ChunkPool pool = pool(8);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        ResultEncoder encoder =
                ResultEncoder.builder(pool).compression(new PackBits()).build();
        try (ResultWriter writer = encoder.open(new ResultId("job", 1, 7, 0), "bytes/1", sink)) {
            writer.payload().writeBytes(new byte[5000], 0, 5000);
            writer.finish();
        }
        OutOfMemoryError error = new OutOfMemoryError("of this test");
        Keeper keeper = new Keeper();
        EmbeddedChannel channel = new EmbeddedChannel(
                new NettyResultDecoder(ResultReader.builder(pool).window(2).compression(new Fails(error)), keeper));
        ByteBuf bytes = Unpooled.copiedBuffer(sink.toByteArray());
        assertSame(error, assertThrows(OutOfMemoryError.class, () -> channel.writeInbound(bytes)));
        assertFalse(channel.isOpen());
        assertEquals(List.of("open 7", "failure 7"), keeper.told);
        assertSame(error, keeper.failure.getCause());
        assertEquals("the receiver failed", keeper.failure.reason());
        assertEquals(0, bytes.refCnt());
    }

    /** Cannot expand anything. */
    private record Fails(Error error) implements BlockCompression {
        private static final PackBits WELL = new PackBits();

        @Override
        public int id() {
            return WELL.id();
        }

        @Override
        public String implementation() {
            return "none";
        }

        @Override
        public int maxCompressedLength(int rawLength) {
            return WELL.maxCompressedLength(rawLength);
        }

        @Override
        public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
            return WELL.compress(src, srcOff, length, dst, dstOff);
        }

        @Override
        public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength) {
            throw error;
        }
    }

    @Test
    void aListenerThatThrowsWhenToldOfLostFramingDoesNotKeepTheChannelOpen() {
        audit.expectWarnings();
        ChunkPool pool = pool(2);
        Keeper keeper = new Keeper();
        keeper.atFailure = () -> {
            throw new IllegalStateException("no");
        };
        EmbeddedChannel channel = new EmbeddedChannel(decoder(pool, 2, keeper));
        channel.writeInbound(Unpooled.copiedBuffer("hello", US_ASCII));
        assertFalse(channel.isOpen());
        assertEquals(List.of("failure of none"), keeper.told);
        assertEquals(1, audit.warnings().size(), () -> audit.warnings().toString());
        channel.finish();
    }

    @Test
    void readsThatTheOwnerAsksForAreWithheldWhileTheWindowIsSpent() throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = pool(64);
        byte[] stream = Streams.of(pool, 1, 200_000);
        Keeper keeper = new Keeper();
        NettyResultDecoder decoder = decoder(pool, 5, keeper);
        try (NettyLoop loop = NettyLoop.open(channel -> {
            channel.config().setAutoRead(false);
            channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(8192));
            channel.pipeline().addLast(decoder, new ReadsOn());
        })) {
            Future<?> sender = audit.executor().submit(() -> {
                write(loop, stream);
                loop.plain().close();
                return null;
            });
            Eventually.settlesAt("live chunks", 5, () -> pool.liveBytes() / CHUNK);
            for (int i = 0; i < 1000; i++) {
                loop.netty().read();
            }
            loop.onLoop(() -> {});
            assertEquals(8192, decoder.outsideBytes());
            assertFalse(sender.isDone(), "the sender has sent all into a stopped receiver");
            while (loop.netty().isOpen()) {
                keeper.releaseOne();
            }
            loop.onLoop(() -> {});
            keeper.releaseAll();
            assertEquals(List.of("open 0", "end 0"), keeper.told);
            assertEquals(0, decoder.outsideBytes());
        }
    }

    private static void write(NettyLoop loop, byte[] stream) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(stream);
        while (bytes.hasRemaining()) {
            loop.plain().write(bytes);
        }
    }
}
