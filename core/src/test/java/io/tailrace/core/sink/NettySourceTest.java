// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.ReadsOn;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.testing.Streams;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NettySourceTest {

    private static final int CHUNK = 4096;
    private static final int GULP = 8192;
    private static final int LONGS = 100_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final NettyMemory memory = NettyMemory.forChunks(GULP);

    /** Also of a test that does not ask for it back: found by the collector later, it would be another test's leak. */
    @AfterEach
    void closeMemory() {
        memory.close();
    }

    /** Reads of exactly {@code GULP} bytes of memory each, from memory that can be looked at. */
    private NettyLoop loop(NettySource source) throws Exception {
        return NettyLoop.open(channel -> {
            channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(GULP));
            channel.config().setAllocator(memory.allocator());
            channel.pipeline().addLast(source);
        });
    }

    private Future<?> send(NettyLoop loop, byte[] stream, boolean close) {
        return audit.executor().submit(() -> {
            ByteBuffer bytes = ByteBuffer.wrap(stream);
            while (bytes.hasRemaining()) {
                loop.plain().write(bytes);
            }
            if (close) {
                loop.plain().close();
            }
            return null;
        });
    }

    private static void readSample(ResultReader reader, int task) throws IOException {
        assertTrue(reader.nextResult());
        Sample sample = new Sample(task, LONGS);
        WireInput in = reader.payload();
        for (int i = 0; i < LONGS; i++) {
            assertEquals(sample.at(i), in.readLong());
        }
        reader.finish();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 64})
    void resultsAreReadWhileTheyArrive(int buffers) throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 4, LONGS);
        try (NettySource source = new NettySource(buffers);
                NettyLoop loop = loop(source);
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            Future<?> sender = send(loop, stream, true);
            for (int i = 0; i < 4; i++) {
                readSample(reader, i);
            }
            assertFalse(reader.nextResult());
            assertFalse(reader.nextResult());
            sender.get(10, TimeUnit.SECONDS);
            assertEquals(0, reader.outsideBytes());
        }
        requireMemoryBack();
    }

    private void requireMemoryBack() {
        memory.close();
        assertEquals(0, memory.lentBytes(), "bytes of buffers not released");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4})
    void whatIsNotReadIsBoundedByTheBuffersThatMayWait(int buffers) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 2, LONGS);
        long idle = memory.lentBytes();
        try (NettySource source = new NettySource(buffers);
                NettyLoop loop = loop(source);
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            Future<?> sender = send(loop, stream, true);
            Eventually.settlesAt("bytes held", (long) buffers * GULP, source::outsideBytes);
            assertFalse(loop.netty().config().isAutoRead());
            assertEquals(idle + (long) buffers * GULP, memory.lentBytes());
            assertFalse(sender.isDone());
            readSample(reader, 0);
            readSample(reader, 1);
            assertFalse(reader.nextResult());
            assertEquals(0, source.outsideBytes());
        }
        requireMemoryBack();
    }

    @Test
    void readsOfAFewBytesLeaveTheRestForTheNext() throws Exception {
        byte[] sent = new byte[100_000];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = (byte) (i * 7);
        }
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            send(loop, sent, true).get(10, TimeUnit.SECONDS);
            assertEquals(0, source.channel().read(ByteBuffer.allocate(0)));
            ByteBuffer few = ByteBuffer.allocate(16);
            int at = 0;
            for (int length = 1; source.channel().read(few.clear().limit(1 + length % 16)) >= 0; length++) {
                assertTrue(few.flip().hasRemaining());
                while (few.hasRemaining()) {
                    assertEquals(sent[at++], few.get());
                }
            }
            assertEquals(sent.length, at);
        }
        requireMemoryBack();
    }

    @Test
    void aChannelThatEndsInsideAResultTruncatesIt() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source);
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            Future<?> sender = send(loop, Arrays.copyOf(stream, stream.length / 2), true);
            assertThrows(TruncatedResultException.class, () -> readSample(reader, 0));
            sender.get(10, TimeUnit.SECONDS);
        }
        requireMemoryBack();
    }

    @Test
    void whatBrokeTheChannelIsToldBehindTheBytesThatCameBefore() throws Exception {
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            send(loop, new byte[100], false).get(10, TimeUnit.SECONDS);
            Eventually.isTrue("arrived", () -> source.outsideBytes() == GULP);
            IOException reset = new IOException("reset");
            loop.onLoop(() -> loop.netty().pipeline().fireExceptionCaught(reset));
            loop.netty().close().sync();
            assertEquals(100, source.channel().read(ByteBuffer.allocate(200)));
            IOException told =
                    assertThrows(IOException.class, () -> source.channel().read(ByteBuffer.allocate(200)));
            assertEquals(reset, told.getCause());
        }
        requireMemoryBack();
    }

    @Test
    void closingWakesTheReaderAndReleasesWhatWaits() throws Exception {
        audit.usesNettyBuffers();
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        long idle = memory.lentBytes();
        NettySource source = new NettySource(2);
        try (NettyLoop loop = loop(source)) {
            assertTrue(source.channel().isOpen());
            Future<?> reader =
                    audit.executor().submit(() -> assertThrows(ClosedChannelException.class, () -> drain(source)));
            Thread.sleep(5);
            source.close();
            reader.get(10, TimeUnit.SECONDS);
            assertFalse(source.channel().isOpen());
            assertThrows(ClosedChannelException.class, () -> source.channel().read(ByteBuffer.allocate(1)));
            source.close();
            // What arrives from here on is released unread, so that the sender is not stuck either.
            send(loop, stream, true).get(10, TimeUnit.SECONDS);
            assertTrue(loop.netty().closeFuture().await(10, TimeUnit.SECONDS));
            loop.onLoop(() -> {});
            assertEquals(0, source.outsideBytes());
            assertEquals(idle, memory.lentBytes());
        }
        requireMemoryBack();
    }

    private static void drain(NettySource source) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        while (source.channel().read(bytes.clear()) >= 0) {
            assertTrue(bytes.position() > 0);
        }
    }

    @Test
    void closingAFullSourceLetsTheRestGoToo() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        long idle = memory.lentBytes();
        NettySource source = new NettySource(2);
        try (NettyLoop loop = loop(source)) {
            Future<?> sender = send(loop, stream, true);
            Eventually.settlesAt("bytes held", 2L * GULP, source::outsideBytes);
            assertEquals(3, source.channel().read(ByteBuffer.allocate(3)));
            source.close();
            sender.get(10, TimeUnit.SECONDS);
            assertTrue(loop.netty().closeFuture().await(10, TimeUnit.SECONDS));
            loop.onLoop(() -> {});
            assertEquals(0, source.outsideBytes());
            assertEquals(idle, memory.lentBytes());
        }
        requireMemoryBack();
    }

    @Test
    void closesRacingWithReadsAndArrivalsReleaseEachBufferOnce() throws Exception {
        audit.usesNettyBuffers();
        long idle = memory.lentBytes();
        int rounds = LeakAudit.FULL ? 5000 : 200;
        try (NettyLoop loop = NettyLoop.open()) {
            for (int i = 0; i < rounds; i++) {
                NettySource source = new NettySource(1 + i % 3);
                loop.onLoop(() -> loop.netty().pipeline().addLast(source));
                loop.netty().eventLoop().execute(() -> {
                    for (int n = 0; n < 20; n++) {
                        loop.netty()
                                .pipeline()
                                .fireChannelRead(
                                        memory.allocator().directBuffer(64).writeZero(50));
                    }
                    loop.netty().pipeline().remove(source);
                });
                int reads = i % 7;
                Future<?> reader = audit.executor().submit(() -> {
                    for (int n = 0; n < reads * 8; n++) {
                        source.channel().read(ByteBuffer.allocate(20));
                    }
                    return null;
                });
                if (i % 2 == 0) {
                    Thread.onSpinWait();
                }
                source.close();
                try {
                    reader.get(10, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    assertInstanceOf(ClosedChannelException.class, e.getCause());
                }
                loop.onLoop(() -> {});
                loop.onLoop(() -> {});
                assertEquals(0, source.outsideBytes());
                assertEquals(idle, memory.lentBytes());
            }
        }
        audit.cases(rounds);
        requireMemoryBack();
    }

    @Test
    void anInterruptEndsTheWaitAndKeepsItsFlag() throws Exception {
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            Future<Boolean> reader = audit.executor().submit(() -> {
                thread.set(Thread.currentThread());
                assertThrows(
                        InterruptedIOException.class, () -> source.channel().read(ByteBuffer.allocate(1)));
                return Thread.interrupted();
            });
            Eventually.isTrue("waits", () -> thread.get() != null);
            thread.get().interrupt();
            assertTrue(reader.get(10, TimeUnit.SECONDS));
            send(loop, new byte[1], false).get(10, TimeUnit.SECONDS);
            assertEquals(1, source.channel().read(ByteBuffer.allocate(1)), "the source is sound");
        }
        requireMemoryBack();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bytesThatArrivedBeforeTheEventLoopEndedAreRead(boolean killed) throws Exception {
        NettySource source = new NettySource(1);
        long idle = memory.lentBytes();
        try (NettyLoop loop = NettyLoop.open(channel -> channel.pipeline().addLast(source))) {
            loop.onLoop(() -> {
                for (int n = 0; n < 5; n++) {
                    ByteBuf bytes = memory.allocator().directBuffer(64).writeZero(50);
                    loop.netty().pipeline().fireChannelRead(bytes);
                }
            });
            if (killed) {
                loop.kill();
            } else {
                loop.shutDown();
            }
            ByteBuffer all = ByteBuffer.allocate(300);
            while (source.channel().read(all) >= 0) {
                assertTrue(all.hasRemaining());
            }
            assertEquals(250, all.position());
            assertEquals(idle, memory.lentBytes());
            source.close();
        }
        requireMemoryBack();
    }

    @Test
    void whatIsNoBufferIsPassedOn() {
        NettySource source = new NettySource();
        EmbeddedChannel channel = new EmbeddedChannel(source);
        assertTrue(channel.writeInbound("text"));
        assertEquals("text", channel.readInbound());
        channel.finish();
        source.close();
        requireMemoryBack();
    }

    /** No more rounds than direct memory holds: what Netty keeps of each is collected with this thread. */
    @Test
    void closesOfAMemoryMayRace() throws Exception {
        int rounds = LeakAudit.FULL ? 4_000 : 2_000;
        CyclicBarrier together = new CyclicBarrier(2);
        for (int i = 0; i < rounds; i++) {
            NettyMemory raced = NettyMemory.forChunks(1);
            Future<?> other = audit.executor().submit(() -> {
                together.await();
                raced.close();
                return null;
            });
            together.await();
            raced.close();
            other.get(10, TimeUnit.SECONDS);
            assertEquals(0, raced.lentBytes());
        }
        audit.cases(rounds);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aChannelThatMovedToAnotherEventLoopLivesAndEndsWithThat(boolean killed) throws Exception {
        EventLoopGroup other = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("tailrace-other", true), NioIoHandler.newFactory());
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            loop.netty().deregister().sync();
            other.register(loop.netty()).sync();
            loop.shutDown();
            Thread.sleep(5);
            send(loop, new byte[10], !killed).get(10, TimeUnit.SECONDS);
            assertEquals(10, source.channel().read(ByteBuffer.allocate(20)));
            if (killed) {
                other.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
            }
            Future<Integer> read =
                    audit.executor().submit(() -> source.channel().read(ByteBuffer.allocate(1)));
            assertEquals(-1, read.get(10, TimeUnit.SECONDS));
        } finally {
            other.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
        requireMemoryBack();
    }

    @Test
    void aSourceAddedToAChannelThatHasClosedIsAtItsEnd() throws Exception {
        try (NettySource source = new NettySource();
                NettyLoop loop = NettyLoop.open()) {
            loop.netty().close().sync();
            loop.onLoop(() -> {}); // its handlers have been told
            loop.onLoop(() -> loop.netty().pipeline().addLast(source));
            Future<Integer> read =
                    audit.executor().submit(() -> source.channel().read(ByteBuffer.allocate(1)));
            assertEquals(-1, read.get(10, TimeUnit.SECONDS));
        }
        requireMemoryBack();
    }

    @Test
    void aPeerThatShutsItsOutputInsideAResultTruncatesIt() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source);
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            loop.netty().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            Future<?> sender = audit.executor().submit(() -> {
                send(loop, Arrays.copyOf(stream, stream.length / 2), false).get();
                return loop.plain().shutdownOutput();
            });
            Future<?> read = audit.executor()
                    .submit(() -> assertThrows(TruncatedResultException.class, () -> readSample(reader, 0)));
            read.get(10, TimeUnit.SECONDS);
            sender.get(10, TimeUnit.SECONDS);
            assertTrue(loop.netty().isOpen(), "the other direction is the embedder's");
        }
        requireMemoryBack();
    }

    @Test
    void whateverBrokeTheChannelBehindAWholeResultIsNoCleanEnd() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        RuntimeException broken = new IllegalStateException(new SSLException("bad record"));
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source);
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            Future<?> sender = send(loop, stream, false);
            readSample(reader, 0);
            sender.get(10, TimeUnit.SECONDS);
            loop.onLoop(() -> {
                loop.netty().pipeline().fireExceptionCaught(broken);
                loop.netty().pipeline().fireExceptionCaught(new IOException("and then"));
            });
            loop.netty().close().sync();
            IOException told = assertThrows(IOException.class, reader::nextResult);
            assertSame(broken, told.getCause());
        }
        requireMemoryBack();
    }

    @Test
    void aSourceRemovedBeforeTheLoopReadsOnLeavesAutoReadOn() throws Exception {
        CountDownLatch full = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(1);
        try (NettySource source = new NettySource(2);
                NettyLoop loop = loop(source)) {
            Future<?> removed = loop.netty().eventLoop().submit(() -> {
                arrive(loop, 3);
                assertFalse(loop.netty().config().isAutoRead());
                full.countDown();
                assertTrue(read.await(10, TimeUnit.SECONDS)); // the reader asks this loop to read on
                arrive(loop, 1);
                loop.netty().pipeline().remove(source);
                return null;
            });
            assertTrue(full.await(10, TimeUnit.SECONDS));
            assertEquals(50, source.channel().read(ByteBuffer.allocate(50)));
            read.countDown();
            removed.get(10, TimeUnit.SECONDS);
            loop.onLoop(() -> assertTrue(loop.netty().config().isAutoRead()));
            ByteBuffer rest = ByteBuffer.allocate(200);
            while (source.channel().read(rest) >= 0) {
                assertTrue(rest.hasRemaining());
            }
            assertEquals(150, rest.position());
        }
        requireMemoryBack();
    }

    private void arrive(NettyLoop loop, int buffers) {
        for (int n = 0; n < buffers; n++) {
            loop.netty()
                    .pipeline()
                    .fireChannelRead(memory.allocator().directBuffer(64).writeZero(50));
        }
    }

    @Test
    void aReadOnlyBufferIsRefusedBeforeAnythingIsTaken() throws Exception {
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            send(loop, new byte[100], false).get(10, TimeUnit.SECONDS);
            Eventually.isTrue("arrived", () -> source.outsideBytes() == GULP);
            ByteBuffer readOnly = ByteBuffer.allocate(10).asReadOnlyBuffer();
            assertThrows(IllegalArgumentException.class, () -> source.channel().read(readOnly));
            assertEquals(100, source.channel().read(ByteBuffer.allocate(200)));
        }
        requireMemoryBack();
    }

    @Test
    void anEventLoopOfTheChannelsGroupMayNotRead() throws Exception {
        try (NettySource source = new NettySource();
                NettyLoop loop = loop(source)) {
            for (EventExecutor each : loop.group()) {
                each.submit(() -> {
                            ByteBuffer bytes = ByteBuffer.allocate(1);
                            return assertThrows(
                                    IllegalStateException.class,
                                    () -> source.channel().read(bytes));
                        })
                        .get(10, TimeUnit.SECONDS);
            }
        }
        requireMemoryBack();
    }

    @Test
    void readsThatTheOwnerAsksForAreWithheldWhileTheSourceIsFull() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 2, LONGS);
        try (NettySource source = new NettySource(3);
                NettyLoop loop = NettyLoop.open(channel -> {
                    channel.config().setAutoRead(false);
                    channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(GULP));
                    channel.config().setAllocator(memory.allocator());
                    channel.pipeline().addLast(source, new ReadsOn());
                });
                ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
            Future<?> sender = send(loop, stream, true);
            Eventually.settlesAt("bytes held", 3L * GULP, source::outsideBytes);
            for (int i = 0; i < 1000; i++) {
                loop.netty().read();
            }
            loop.onLoop(() -> {});
            Eventually.settlesAt("bytes held", 3L * GULP, source::outsideBytes);
            assertFalse(sender.isDone());
            readSample(reader, 0);
            readSample(reader, 1);
            assertFalse(reader.nextResult());
            assertFalse(loop.netty().config().isAutoRead());
        }
        requireMemoryBack();
    }

    @Test
    void theExampleInTheJavadocIsTheOneThatRuns() throws Exception {
        ExecutorService decoding = audit.executor();
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        CompletableFuture<Future<Long>> begun = new CompletableFuture<>();
        try (NettyLoop loop = NettyLoop.open(channel -> {
            // Javadoc begin
            NettySource source = new NettySource();
            channel.pipeline().addLast(source); // in the initializer, before its first bytes
            Future<Long> sum = decoding.submit(() -> {
                try (source;
                        ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
                    return sumOfLongs(reader);
                }
            });
            // Javadoc end
            begun.complete(sum);
        })) {
            send(loop, stream, true).get(10, TimeUnit.SECONDS);
            Sample sample = new Sample(0, LONGS);
            long expected = LongStream.range(0, LONGS).map(sample::at).sum();
            assertEquals(expected, begun.get().get(10, TimeUnit.SECONDS));
        }
        String here = "src/test/java/io/tailrace/core/sink/NettySourceTest.java";
        String there = "src/main/java/io/tailrace/core/sink/NettySource.java";
        assertEquals(between(here, "// Javadoc begin", "// Javadoc end"), between(there, "<pre>{@code", "}</pre>"));
    }

    private static long sumOfLongs(ResultReader reader) throws IOException {
        long sum = 0;
        while (reader.nextResult()) {
            while (!reader.payload().exhausted()) {
                sum += reader.payload().readLong();
            }
            reader.finish();
        }
        return sum;
    }

    /** Without the Javadoc's asterisks, and the formatter's line breaks. */
    private static String between(String file, String begin, String end) throws IOException {
        String text = Files.readString(Path.of(file));
        int from = text.indexOf(begin) + begin.length();
        return text.substring(from, text.indexOf(end, from))
                .replaceAll("(?m)^ *\\* ", "")
                .replaceAll("\\s+", " ")
                .strip();
    }
}
