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
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SinkFailureTest {

    private static final int CHUNK = 512;
    private static final int WINDOW = 4;
    private static final Sample VALUE = new Sample(42, 2_600);
    private static final ResultId ID = new ResultId("job", 1, 2, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder.Builder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool).window(WINDOW).sendingOn(threaded ? audit.executor() : null);
    }

    private int chunksOf(boolean threaded) throws IOException {
        RecordingSink sink = new RecordingSink();
        encoder(audit.pool(CHUNK, 16 * CHUNK), threaded).build().encode(ID, Sample.CODEC, VALUE, sink);
        return sink.chunks();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whateverTheSinkThrowsAtAnyChunkIsTheCause(boolean threaded) throws IOException {
        int chunks = chunksOf(threaded);
        assertTrue(chunks >= 50, chunks + " chunks");
        List<Supplier<Throwable>> thrown = List.of(
                () -> new IOException("broken pipe"),
                () -> new IllegalStateException("sink closed"),
                () -> new AssertionError("sink asserts"),
                () -> new OutOfMemoryError("injected"),
                InterruptedIOException::new);
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        int cases = 0;
        for (int k = 0; k < chunks; k++) {
            for (Supplier<Throwable> failure : thrown) {
                for (Part part : Part.values()) {
                    failsAt(pool, k, failure.get(), part, threaded);
                    cases++;
                }
            }
        }
        audit.cases(cases);
    }

    /** How much of the chunk it fails at goes out before. */
    private enum Part {
        NOTHING,
        ONE_BYTE,
        ALL_BUT_ONE;

        int of(int length) {
            return this == NOTHING ? 0 : this == ONE_BYTE ? 1 : length - 1;
        }
    }

    private void failsAt(ChunkPool pool, int k, Throwable failure, Part part, boolean threaded) throws IOException {
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            if (chunk == k) {
                taken.write(bytes, 0, part.of(bytes.length));
                throwAny(failure);
            }
        });
        String where = failure + " at chunk " + k + ", " + part;
        ResultEncoder encoder = encoder(pool, threaded).build();
        try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
            ResultFailedException told = assertThrows(
                    ResultFailedException.class,
                    () -> {
                        Sample.CODEC.encode(VALUE, writer.payload());
                        writer.finish();
                    },
                    where);
            assertSame(failure, told.getCause(), where);
            assertEquals(FailurePhase.SINK, told.failure().phase(), where);
            assertEquals(failure.getClass().getName(), told.failure().className());
            assertEquals(ID, told.resultId());
            long stoppedAt = writer.payload().written();
            // Between the failed write's release and the end of the hand-off, another window full may be accepted.
            long most = (long) (k + 1 + (threaded ? 2 * WINDOW : 0)) * CHUNK;
            assertTrue(stoppedAt <= most, where + ": wrote " + stoppedAt + " bytes, at most " + most);
            assertSame(
                    told,
                    assertThrows(
                            ResultFailedException.class, () -> writer.payload().next()),
                    where);
            assertSame(told, assertThrows(ResultFailedException.class, writer::finish), where);
        }
        assertTrue(pool.peakLiveBytes() <= (long) WINDOW * CHUNK, where);
        assertEquals(0, sink.writesAfterFailure(), where);
        assertEquals(0, sink.completions(), where);
        assertEquals(0, sink.terminalFrames(), where);
        audit.requireWhole();
        for (Received result : Received.all(pool, sink.toByteArray())) {
            assertFalse(result.complete(), where);
            assertTrue(VALUE.startsWith(result.payload()), where);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatBecameOfTheResultOnTheOtherSideIsThrownAsItIs(boolean threaded) throws IOException {
        for (boolean retriable : new boolean[] {false, true}) {
            ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
            UndeliveredResultException fate = new UndeliveredResultException(
                    new ResultFate(ResultFate.Verdict.REFUSED, "full", retriable), 345, ID, null);
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk == 3) {
                    throw fate;
                }
            });
            try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "sample/1", sink)) {
                assertSame(fate, assertThrows(UndeliveredResultException.class, () -> {
                    Sample.CODEC.encode(VALUE, writer.payload());
                    writer.finish();
                }));
                assertSame(fate, assertThrows(UndeliveredResultException.class, writer::finish));
                ResultFailure told = Objects.requireNonNull(writer.failure());
                assertEquals(FailurePhase.SINK, told.phase());
                assertEquals(retriable, told.retriable());
                assertEquals(UndeliveredResultException.class.getName(), told.className());
            }
            assertEquals(0, sink.terminalFrames());
        }
    }

    @Test
    void whatBecameOfTheResultIsThrownAlsoWhenItWasCancelledMeanwhile() throws IOException {
        UndeliveredResultException fate = undelivered(ResultFate.Verdict.REFUSED);
        assertSame(fate, thrownWhenCancelledMeanwhile(fate));
    }

    /** Whoever cancelled is told so, by whichever end. */
    @Test
    void cancelledResultThatIsUndeliveredSinceItWasCancelledIsCancelled() throws IOException {
        assertInstanceOf(
                ResultCancelledException.class,
                thrownWhenCancelledMeanwhile(undelivered(ResultFate.Verdict.CANCELLED)));
    }

    private static UndeliveredResultException undelivered(ResultFate.Verdict verdict) {
        return new UndeliveredResultException(new ResultFate(verdict, "", false), 0, ID, null);
    }

    private IOException thrownWhenCancelledMeanwhile(UndeliveredResultException fate) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        AtomicReference<ResultWriter> opened = new AtomicReference<>();
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            if (chunk == 3) {
                opened.get().cancel();
                throw fate;
            }
        });
        try (ResultWriter writer = encoder(pool, false).build().open(ID, "sample/1", sink)) {
            opened.set(writer);
            return assertThrows(IOException.class, () -> Sample.CODEC.encode(VALUE, writer.payload()));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failedCompletionFailsAResultWhoseEndIsOut(boolean threaded) throws IOException {
        for (Throwable failure : List.of(new IOException("rename"), new IllegalStateException(), new Error("force"))) {
            ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
            RecordingSink frames = new RecordingSink();
            FrameSink sink = new FrameSink() {
                @Override
                public void write(FrameBatch batch) throws IOException {
                    frames.write(batch);
                }

                @Override
                public void complete() throws IOException {
                    throwAny(failure);
                }

                @Override
                public void close() {}
            };
            ResultFailedException told = assertThrows(
                    ResultFailedException.class,
                    () -> encoder(pool, threaded).build().encode(ID, Sample.CODEC, VALUE, sink));
            assertSame(failure, told.getCause());
            assertEquals(FailurePhase.SINK, told.failure().phase());
            assertEquals(1, frames.terminalFrames(), "nothing may follow the end frame");
            audit.requireWhole();
        }
    }

    @Test
    void cancelReachesAnEncoderWhoseSinkIsStuck() throws Exception {
        int chunks = chunksOf(true);
        audit.expectWarnings();
        int cases = 0;
        for (int k = 0; k < chunks; k += LeakAudit.FULL ? 1 : 7) {
            ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
            CountDownLatch stuck = new CountDownLatch(1);
            CountDownLatch freed = new CountDownLatch(1);
            RecordingSink sink = stuckAt(k, stuck, freed);
            ResultEncoder encoder =
                    encoder(pool, true).linger(Duration.ofMillis(20)).build();
            try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
                Future<?> canceller = audit.executor().submit(() -> {
                    stuck.await();
                    writer.cancel();
                    return null;
                });
                // The window keeps the encoder from running to its end while the sink is stuck.
                WireOutput out = writer.payload();
                assertThrows(ResultCancelledException.class, () -> {
                    while (true) {
                        out.writeLong(VALUE.at(out.written() / Long.BYTES));
                    }
                });
                canceller.get();
                assertTrue(pool.liveBytes() <= (long) WINDOW * CHUNK);
            }
            freed.countDown();
            awaitFree(pool);
            // Patience was over: by now another result could be using the sink, so nothing more may come.
            assertEquals(0, sink.terminalFrames());
            cases++;
        }
        assertFalse(audit.warnings().isEmpty());
        audit.cases(cases);
    }

    @Test
    void stuckSinkBoundsWhatTheEncoderHolds() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 64 * CHUNK);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch freed = new CountDownLatch(1);
        AtomicInteger written = new AtomicInteger();
        AtomicReference<ResultWriter> opened = new AtomicReference<>();
        RecordingSink sink = stuckAt(3, stuck, freed);
        Future<ResultSummary> encoding = audit.executor().submit(() -> {
            try (ResultWriter writer = encoder(pool, true).build().open(ID, "sample/1", sink)) {
                opened.set(writer);
                WireOutput out = writer.payload();
                for (int i = 0; i < VALUE.count(); i++) {
                    out.writeLong(VALUE.at(i));
                    written.lazySet((int) out.written());
                }
                return writer.finish();
            }
        });
        stuck.await();
        Thread.sleep(100);
        int before = written.get();
        assertEquals((long) WINDOW * CHUNK, pool.liveBytes());
        assertEquals((long) WINDOW * CHUNK, opened.get().liveBytes());
        Thread.sleep(50);
        assertEquals(before, written.get(), "the encoder waits");
        freed.countDown();
        ResultSummary summary = encoding.get();
        assertTrue(summary.handoffStallNanos() > 50_000_000, summary.toString());
        assertTrue(summary.sinkStallNanos() > 50_000_000, summary.toString());
        assertEquals((long) WINDOW * CHUNK, pool.peakLiveBytes());
        assertEquals((long) WINDOW * CHUNK, opened.get().peakLiveBytes());
        assertEquals((long) WINDOW * CHUNK, summary.peakLiveBytes());
        assertEquals(0, opened.get().liveBytes());
        assertTrue(Received.all(pool, sink.toByteArray()).get(0).complete());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void connectionCarriesTheNextResultAfterAFailedOne(boolean threaded) throws IOException {
        // The codec failed, not the sink: the failure frame is out, and the sink is as good as before.
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultEncoder encoder = encoder(pool, threaded).build();
        RecordingSink sink = new RecordingSink();
        try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
            writer.payload().writeBytes(new byte[2_000], 0, 2_000);
            writer.fail(new IOException("the task's own"));
        }
        encoder.encode(ID, Sample.CODEC, VALUE, sink);
        List<Received> results = Received.all(pool, sink.toByteArray());
        assertEquals(2, results.size());
        assertEquals("the task's own", results.get(0).told().failure().text());
        assertTrue(results.get(1).complete());
        assertEquals(VALUE.count() * Long.BYTES, results.get(1).payload().length);
        assertEquals(2, sink.terminalFrames());
    }

    @Test
    void executorThatRefusesFailsTheOpeningAndKeepsNothing() {
        ChunkPool pool = audit.pool(CHUNK, 4 * CHUNK);
        ExecutorService closed = Executors.newSingleThreadExecutor();
        closed.shutdown();
        ResultEncoder encoder = ResultEncoder.builder(pool).sendingOn(closed).build();
        ResultFailedException told =
                assertThrows(ResultFailedException.class, () -> encoder.open(ID, "sample/1", new RecordingSink()));
        assertEquals(FailurePhase.SINK, told.failure().phase());
    }

    @Test
    void interruptedSendingThreadFailsTheResult() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ExecutorService sending = Executors.newSingleThreadExecutor();
        ResultEncoder encoder =
                ResultEncoder.builder(pool).window(WINDOW).sendingOn(sending).build();
        RecordingSink sink = new RecordingSink();
        try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
            writer.payload().writeLong(1);
            Thread.sleep(20);
            sending.shutdownNow();
            ResultFailedException told = assertThrows(ResultFailedException.class, () -> {
                while (true) {
                    writer.payload().writeLong(2);
                }
            });
            assertTrue(told.retriable());
            assertInstanceOf(IOException.class, told.getCause());
        }
        assertEquals(1, sink.terminalFrames(), "the sink is sound, and the encoding thread is left to tell the peer");
    }

    private static RecordingSink stuckAt(int k, CountDownLatch stuck, CountDownLatch freed) {
        return new RecordingSink((chunk, bytes, taken) -> {
            if (chunk == k) {
                stuck.countDown();
                try {
                    freed.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException();
                }
            }
        });
    }

    private static void awaitFree(ChunkPool pool) throws InterruptedException {
        for (int i = 0; i < 5_000 && pool.freeBytes() < pool.budgetBytes(); i++) {
            Thread.sleep(1);
        }
        assertEquals(pool.budgetBytes(), pool.freeBytes(), pool.report());
    }

    private static void throwAny(Throwable e) throws IOException {
        if (e instanceof IOException io) {
            throw io;
        }
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        throw (Error) e;
    }
}
