// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NettyLoop;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.testing.Streams;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadAheadTest {

    private static final int CHUNK = 4096;
    private static final int LONGS = 50_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultReader.Builder builder(ChunkPool pool) {
        return ResultReader.builder(pool).readingOn(audit.executor());
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

    private static ReadableByteChannel channel(byte[] stream) {
        return Channels.newChannel(new ByteArrayInputStream(stream));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 16})
    void resultsAreReadAheadWithinTheWindow(int window) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 32L * CHUNK);
        byte[] stream = Streams.of(pool, 3, LONGS);
        ChunkPool own = audit.pool(CHUNK, (long) window * CHUNK);
        ReadableByteChannel channel = channel(stream);
        try (ResultReader reader = builder(own).window(window).open(channel)) {
            Eventually.settlesAt("chunks read ahead", window - 1, () -> own.liveBytes() / CHUNK);
            assertEquals(own.liveBytes(), reader.liveBytes());
            for (int i = 0; i < 3; i++) {
                readSample(reader, i);
            }
            assertFalse(reader.nextResult());
            assertEquals(CHUNK, reader.outsideBytes());
            assertEquals((long) window * CHUNK, reader.peakLiveBytes());
        }
        assertFalse(channel.isOpen(), "what was read ahead is gone: so is the channel");
        assertEquals((long) window * CHUNK, own.peakLiveBytes());
    }

    /** What the reading thread waits for, a spent budget or its window, is the result's that is decoded meanwhile. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theSummaryHasTheReadingThreadsWaitsAndMemory(boolean budgetIsSpent) throws Exception {
        ChunkPool sending = audit.pool(CHUNK, 32L * CHUNK);
        byte[] stream = Streams.of(sending, 1, LONGS);
        ChunkPool pool = audit.pool(CHUNK, (budgetIsSpent ? 2L : 32L) * CHUNK);
        try (ResultReader reader = builder(pool).window(3).open(channel(stream))) {
            assertTrue(reader.nextResult());
            Thread.sleep(100);
            ResultSummary summary = reader.finish();
            long waited = budgetIsSpent ? summary.poolStallNanos() : summary.handoffStallNanos();
            assertTrue(waited > 50_000_000, summary::toString);
            assertEquals(CHUNK, summary.outsideBytes());
        }
    }

    @Test
    void theSummaryOfAReaderHasItsMemoryAndTheTimeItExpanded() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 32L * CHUNK);
        for (BlockCompression compression : new BlockCompression[] {null, new PackBits()}) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            ResultEncoder encoder =
                    ResultEncoder.builder(pool).compression(compression).build();
            try (ResultWriter writer = encoder.open(new ResultId("job", 1, 1, 0), "zeros/1", sink)) {
                writer.payload().writeBytes(new byte[100_000], 0, 100_000);
                writer.finish();
            }
            try (ResultReader reader =
                    ResultReader.builder(pool).compression(compression).open(channel(sink.toByteArray()))) {
                assertTrue(reader.nextResult());
                ResultSummary summary = reader.finish();
                assertEquals(reader.outsideBytes(), summary.outsideBytes());
                assertTrue(summary.outsideBytes() > 0);
                assertEquals(compression != null, summary.compressorNanos() > 0, summary::toString);
            }
        }
    }

    @Test
    void theWindowMustHoldWhatDecodingAndReadingNeed() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 4L * CHUNK);
        ReadableByteChannel channel = channel(new byte[0]);
        assertThrows(
                IllegalArgumentException.class, () -> builder(pool).window(1).open(channel));
        assertThrows(
                IllegalArgumentException.class,
                () -> builder(pool).window(2).compression(new PackBits()).open(channel));
        assertTrue(channel.isOpen());
        builder(pool).window(3).compression(new PackBits()).open(channel).close();
    }

    /** Both reserves are had at once: half of them would block each other for ever. */
    @Test
    void manyReadersOnAPoolOfTheirReservesAllFinish() throws Exception {
        int readers = 4;
        ChunkPool sending = audit.pool(CHUNK, 32L * CHUNK);
        byte[] stream = Streams.of(sending, 2, LONGS);
        ChunkPool pool = audit.pool(ChunkPool.builder()
                .chunkBytes(CHUNK)
                .budgetBytes(3L * CHUNK) // one reader's two and a half of the next one's
                .patience(Duration.ofSeconds(20)));
        List<Future<?>> all = new ArrayList<>();
        for (int r = 0; r < readers; r++) {
            all.add(audit.executor().submit(() -> {
                try (ResultReader reader = builder(pool).window(8).open(channel(stream))) {
                    readSample(reader, 0);
                    readSample(reader, 1);
                    assertFalse(reader.nextResult());
                }
                return null;
            }));
        }
        for (Future<?> reader : all) {
            reader.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void aSlowSourceIsHandedOnAsItComes() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        byte[] stream = Streams.of(pool, 1, 10);
        Pipe pipe = Pipe.open();
        try (ResultReader reader = builder(pool).open(pipe.source());
                Pipe.SinkChannel sink = pipe.sink()) {
            sink.write(ByteBuffer.wrap(stream, 0, stream.length - 1));
            assertTrue(reader.nextResult(), "though no chunk is full and the stream has not ended");
            sink.write(ByteBuffer.wrap(stream, stream.length - 1, 1));
            assertEquals(80, reader.finish().payloadBytes());
        }
    }

    /** Gives so many bytes, then throws. */
    private static final class Failing extends InputStream {
        private final byte[] bytes;
        private final int length;
        private final IOException fault;
        private int at;

        Failing(byte[] bytes, int length, IOException fault) {
            this.bytes = bytes;
            this.length = length;
            this.fault = fault;
        }

        @Override
        public int read() {
            throw new IllegalStateException("one by one");
        }

        @Override
        public int read(byte[] into, int offset, int count) throws IOException {
            if (at == length) {
                throw fault;
            }
            int part = Math.min(count, length - at);
            System.arraycopy(bytes, at, into, offset, part);
            at += part;
            return part;
        }
    }

    @Test
    void anErrorOfTheSourceComesBehindTheBytesThatCameBefore() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        byte[] stream = Streams.of(pool, 2, LONGS);
        IOException fault = new IOException("the disk");
        InputStream failing = new Failing(stream, stream.length - 100, fault);
        try (ResultReader reader = builder(pool).window(8).open(Channels.newChannel(failing))) {
            readSample(reader, 0);
            assertSame(fault, assertThrows(IOException.class, () -> readSample(reader, 1)));
            assertSame(fault, assertThrows(IOException.class, reader::finish), "told again");
        }
    }

    @Test
    void anErrorThatIsNoIOExceptionIsToldAsTheCauseOfOne() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        IllegalStateException fault = new IllegalStateException("a source's own");
        ReadableByteChannel source = new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer into) {
                throw fault;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() throws IOException {
                throw new IOException("nor can it be closed");
            }
        };
        try (ResultReader reader = builder(pool).open(source)) {
            assertSame(
                    fault, assertThrows(IOException.class, reader::nextResult).getCause());
        }
    }

    @Test
    void closingWakesABlockedReadAndReleasesAll() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        byte[] stream = Streams.of(pool, 1, LONGS);
        try (NettyLoop loop = NettyLoop.open()) {
            ResultReader reader = builder(pool).open(loop.plain());
            loop.netty()
                    .writeAndFlush(io.netty.buffer.Unpooled.wrappedBuffer(stream, 0, 10_000))
                    .sync();
            assertTrue(reader.nextResult());
            Eventually.settlesAt("live", 1, () -> Math.min(1, pool.liveBytes())); // one is being read into
            reader.close();
            assertEquals(0, pool.liveBytes(), pool.report());
            assertFalse(loop.plain().isOpen());
            reader.close();
        }
    }

    @Test
    void closingWakesAReaderThatWaitsForItsWindow() throws Exception {
        ChunkPool sending = audit.pool(CHUNK, 32L * CHUNK);
        byte[] stream = Streams.of(sending, 1, LONGS);
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        ResultReader reader = builder(pool).window(5).open(channel(stream));
        Eventually.settlesAt("chunks read ahead", 4, () -> pool.liveBytes() / CHUNK);
        reader.close();
        assertEquals(0, pool.liveBytes(), pool.report());
    }

    @Test
    void anInterruptOfTheDecodingThreadEndsItsWaitAndKeepsItsFlag() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Pipe pipe = Pipe.open();
        try (Pipe.SinkChannel sink = pipe.sink();
                ResultReader reader = builder(pool).open(pipe.source())) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedIOException.class, reader::nextResult);
            assertTrue(Thread.interrupted());
            assertTrue(sink.isOpen());
            sink.write(ByteBuffer.wrap(Streams.of(pool, 1, 10)));
            assertTrue(reader.nextResult(), "the reader is sound");
            Thread.currentThread().interrupt();
        }
        assertTrue(Thread.interrupted(), "kept through the close");
    }

    @Test
    void anInterruptOfTheReadingThreadIsToldToTheDecodingThread() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        AtomicReference<Thread> readingThread = new AtomicReference<>();
        Pipe pipe = Pipe.open();
        try (Pipe.SinkChannel sink = pipe.sink();
                ResultReader reader = ResultReader.builder(pool)
                        .readingOn(task -> audit.executor().execute(() -> {
                            readingThread.set(Thread.currentThread());
                            task.run();
                        }))
                        .open(pipe.source())) {
            Eventually.isTrue("reads", () -> readingThread.get() != null && pool.liveBytes() == CHUNK);
            readingThread.get().interrupt();
            assertInstanceOf(ClosedChannelException.class, assertThrows(IOException.class, reader::nextResult));
            assertTrue(sink.isOpen());
        }
    }

    @Test
    void aRefusedTaskLeavesNothingBehind() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        ExecutorService ended = Executors.newSingleThreadExecutor();
        ended.shutdown();
        ReadableByteChannel channel = channel(new byte[0]);
        IOException refused = assertThrows(
                IOException.class,
                () -> ResultReader.builder(pool).readingOn(ended).open(channel));
        assertInstanceOf(RejectedExecutionException.class, refused.getCause());
        assertTrue(channel.isOpen(), "it was never the reader's");
        audit.requireWhole();
    }

    @Test
    void whateverTheExecutorThrowsLeavesNothingBehind() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        ReadableByteChannel channel = channel(new byte[0]);
        for (Throwable each : List.of(new OutOfMemoryError("thread"), new IllegalStateException("its own"))) {
            ResultReader.Builder builder = ResultReader.builder(pool).readingOn(task -> throwAny(each));
            assertSame(each, assertThrows(Throwable.class, () -> builder.open(channel)));
            assertTrue(channel.isOpen(), "it was never the reader's");
            audit.requireWhole();
        }
    }

    @Test
    void aTaskThatItsExecutorBeganAndThenRefusedEndsSoon() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        try (Endless source = new Endless(CHUNK)) {
            ResultReader.Builder builder = ResultReader.builder(pool).readingOn(task -> {
                audit.executor().execute(task);
                throw new IllegalStateException("too late");
            });
            assertThrows(IllegalStateException.class, () -> builder.open(source));
            Eventually.isTrue("whole", () -> pool.freeBytes() == pool.budgetBytes());
        }
    }

    @Test
    void anExecutorThatRunsItsTasksInTheOpenersThreadIsRefused() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        List<Executor> executors = List.of(Runnable::run, task -> new FutureTask<>(task, null).run());
        for (Executor executor : executors) {
            try (Endless source = new Endless(CHUNK)) {
                Future<?> opener = audit.executor()
                        .submit(() ->
                                ResultReader.builder(pool).readingOn(executor).open(source));
                Throwable thrown = assertThrows(ExecutionException.class, () -> opener.get(5, TimeUnit.SECONDS))
                        .getCause();
                assertInstanceOf(IOException.class, thrown);
                assertInstanceOf(RejectedExecutionException.class, thrown.getCause());
                assertTrue(source.isOpen(), "it was never the reader's");
                audit.requireWhole();
            }
        }
    }

    @Test
    void aSourceWhoseCloseThrowsIsWaitedForAllTheSame() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        for (Throwable each : List.of(new IllegalStateException("close"), new AssertionError("close"))) {
            for (Executor executor : List.<Executor>of(task -> {}, audit.executor())) {
                Endless source = new Endless(CHUNK) {
                    @Override
                    public void close() {
                        super.close();
                        throwAny(each);
                    }
                };
                ResultReader.builder(pool).readingOn(executor).open(source).close();
                audit.requireWhole();
            }
        }
    }

    @Test
    void aSourceThatHasNothingAndIgnoresItsCloseIsLeftAlone() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Endless source = new Endless(0);
        ResultReader reader = builder(pool).open(source);
        Eventually.isTrue("reads", () -> pool.liveBytes() == CHUNK);
        reader.close();
        audit.requireWhole();
    }

    /** Gives so many bytes a read, for ever, closed or not. */
    private static class Endless implements ReadableByteChannel {
        private final int part;
        private volatile boolean open = true;

        Endless(int part) {
            this.part = part;
        }

        @Override
        public int read(ByteBuffer into) {
            into.position(into.position() + part);
            return part;
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    private static void throwAny(Throwable e) {
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        throw (Error) e;
    }

    @Test
    void aTaskThatRunsOnlyAfterTheCloseDoesNothing() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        AtomicReference<Runnable> late = new AtomicReference<>();
        ReadableByteChannel channel = channel(new byte[10]);
        ResultReader.builder(pool).readingOn(late::set).open(channel).close();
        audit.requireWhole();
        late.get().run();
        audit.requireWhole();
    }

    @Test
    void aSourceThatDoesNotWakeFromItsCloseKeepsOneChunkUntilItDoes() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        CountDownLatch wakes = new CountDownLatch(1);
        ReadableByteChannel stubborn = new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer into) {
                try {
                    wakes.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return -1;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
        var window = pool.open("a reading thread", 2, 1);
        ReadAhead ahead = new ReadAhead(stubborn, window, CHUNK, Duration.ofMillis(50));
        audit.executor().execute(ahead);
        Eventually.isTrue("reads", () -> pool.liveBytes() == CHUNK);
        ahead.close();
        assertEquals(1, audit.warnings().size(), audit.warnings()::toString);
        assertEquals(CHUNK, pool.liveBytes(), "its read may still write there");
        wakes.countDown();
        Eventually.isTrue("gives it back", () -> pool.liveBytes() == 0);
    }

    @Test
    void aBudgetThatStaysSpentIsToldToTheDecodingThread() throws Exception {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(2L * CHUNK).patience(Duration.ZERO));
        try (ResultReader first = builder(pool).window(2).open(channel(new byte[0]))) {
            assertThrows(BudgetExhaustedException.class, () -> builder(pool).open(channel(new byte[0])));
            assertThrows(IOException.class, first::nextResult, "no preamble");
        }
    }
}
