// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.Chunk;
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
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sinks and executors that do what they may, and some that do what they may not. */
class SinkContractTest {

    private static final int CHUNK = 512;
    private static final int WINDOW = 4;
    private static final Sample VALUE = new Sample(31, 2_000);
    private static final ResultId ID = new ResultId("contract", 1, 2, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder.Builder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool).window(WINDOW).sendingOn(threaded ? audit.executor() : null);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void chunkThatASinkRetainsCountsUntilItIsReleased(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        LinkedBlockingQueue<Chunk> retained = new LinkedBlockingQueue<>();
        FrameSink asynchronous = new FrameSink() {
            @Override
            public void write(FrameBatch batch) {
                for (int i = 0; i < batch.size(); i++) {
                    batch.get(i).retain();
                    retained.add(batch.get(i));
                }
            }

            @Override
            public void close() {}
        };
        Future<ResultSummary> encoding = audit.executor()
                .submit(() -> encoder(pool, threaded).build().encode(ID, Sample.CODEC, VALUE, asynchronous));
        long released = 0;
        while (!encoding.isDone()) {
            assertTrue(pool.liveBytes() <= (long) WINDOW * CHUNK, pool.report());
            Chunk chunk = retained.poll();
            if (chunk != null) {
                released++;
                chunk.release();
            }
        }
        encoding.get();
        int left = retained.size();
        // The result has ended; what the transport still holds stays charged.
        assertEquals((long) left * CHUNK, pool.liveBytes());
        assertEquals((16L - left) * CHUNK, pool.freeBytes());
        retained.forEach(Chunk::release);
        assertEquals(0, pool.liveBytes());
        assertTrue(released + left >= VALUE.count() * Long.BYTES / CHUNK);
        audit.figure(left + " chunks were with the transport when the result had ended");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sinkThatReleasesWhatItBorrowedFailsItsResultAlone(boolean threaded) throws IOException {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(16 * CHUNK).paranoid(true));
        ResultEncoder encoder = encoder(pool, threaded).build();
        FrameSink thief = new FrameSink() {
            private int writes;

            @Override
            public void write(FrameBatch batch) {
                if (++writes == 3) {
                    batch.get(0).release();
                }
            }

            @Override
            public void close() {}
        };
        ResultFailedException failed =
                assertThrows(ResultFailedException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, thief));
        assertEquals(ID, failed.resultId());
        assertEquals(0, pool.liveBytes(), pool.report());
        assertEquals(pool.budgetBytes(), pool.freeBytes());
        RecordingSink sound = new RecordingSink();
        encoder.encode(ID, Sample.CODEC, VALUE, sound);
        assertTrue(Received.all(pool, sound.toByteArray()).get(0).complete());
    }

    /** What a sink may come to call from within a write, on the thread that writes. */
    private enum Call {
        CANCEL,
        CLOSE,
        FAIL;

        void on(ResultWriter writer) {
            switch (this) {
                case CANCEL -> writer.cancel();
                case CLOSE -> writer.close();
                case FAIL -> writer.fail(new IllegalStateException("the sink has had enough"));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"CANCEL,false", "CLOSE,false", "FAIL,false", "CANCEL,true", "CLOSE,true", "FAIL,true"})
    void writerThatIsEndedFromWithinItsSinkEndsOnce(Call call, boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        for (int k = 0; k < 30; k++) {
            int at = k;
            AtomicReference<ResultWriter> writer = new AtomicReference<>();
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk >= at) {
                    call.on(writer.get());
                }
            });
            try (ResultWriter opened = encoder(pool, threaded).build().open(ID, "sample/1", sink)) {
                writer.set(opened);
                IOException thrown = assertThrows(IOException.class, () -> {
                    while (true) {
                        opened.payload().writeLong(VALUE.at(opened.payloadBytes() / Long.BYTES));
                    }
                });
                assertInstanceOf(ResultCancelledException.class, thrown);
            }
            audit.requireWhole();
            assertEquals(1, sink.terminalFrames(), call + " at chunk " + k);
            Received result = Received.all(pool, sink.toByteArray()).get(0);
            assertEquals(FailurePhase.CANCELLED, result.told().failure().phase());
        }
    }

    @Test
    void executorThatRunsItsTasksInTheCallersThreadIsRefused() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        List<Executor> executors = List.of(Runnable::run, task -> new FutureTask<>(task, null).run());
        for (Executor executor : executors) {
            ResultEncoder encoder =
                    ResultEncoder.builder(pool).sendingOn(executor).build();
            ResultFailedException refused =
                    assertThrows(ResultFailedException.class, () -> encoder.open(ID, "sample/1", new RecordingSink()));
            assertEquals(FailurePhase.SINK, refused.failure().phase());
            audit.requireWhole();
        }
    }

    @Test
    void executorThatThrowsKeepsNothingAndLeavesNoTaskBehind() {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        OutOfMemoryError thrown = new OutOfMemoryError("thread");
        for (boolean begins : new boolean[] {false, true}) {
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .sendingOn(task -> {
                        if (begins) {
                            audit.executor().execute(task); // whose end the audit of the threads waits for
                        }
                        throw thrown;
                    })
                    .build();
            RecordingSink sink = new RecordingSink();
            assertSame(thrown, assertThrows(OutOfMemoryError.class, () -> encoder.open(ID, "sample/1", sink)));
            audit.requireWhole();
            assertEquals(0, sink.chunks());
        }
    }

    private interface Ending {
        void on(ResultWriter writer) throws IOException;
    }

    /** What ends a result in each phase: a call, or a write that throws. */
    private static final Map<FailurePhase, Ending> ENDINGS = Map.of(
            FailurePhase.ENCODING,
            writer -> writer.fail(new IllegalStateException("the codec's")),
            FailurePhase.LIMIT,
            writer -> assertThrows(ResultTooLargeException.class, () -> Sample.CODEC.encode(VALUE, writer.payload())),
            FailurePhase.CANCELLED,
            writer -> {
                writer.cancel();
                assertThrows(ResultCancelledException.class, writer::finish);
            },
            FailurePhase.SINK,
            writer -> assertThrows(ResultFailedException.class, () -> {
                writer.payload().writeBytes(new byte[1_000], 0, 1_000);
                writer.finish();
            }),
            FailurePhase.CLOSED,
            ResultWriter::close);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whateverEndsAResultItsRecordStays(boolean threaded) throws IOException {
        for (FailurePhase phase : ENDINGS.keySet()) {
            ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (phase == FailurePhase.SINK && chunk == 1) {
                    throw new IOException("gone");
                }
            });
            ResultEncoder encoder =
                    encoder(pool, threaded).maxPayloadBytes(2_000).build();
            ResultWriter writer = encoder.open(ID, "sample/1", sink);
            writer.payload().writeLong(1);
            assertNull(writer.failure());
            Objects.requireNonNull(ENDINGS.get(phase)).on(writer);
            ResultFailure failure = Objects.requireNonNull(writer.failure());
            assertEquals(phase, failure.phase());
            assertTrue(failure.payloadBytes() >= 8, failure::toString);
            assertTrue(failure.frames() >= 1, failure::toString);
            assertEquals(phase == FailurePhase.SINK, failure.retriable());
            writer.close();
            assertSame(failure, writer.failure());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptedResultHasARecordAndACompleteOneHasNone(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "sample/1", new RecordingSink())) {
            writer.payload().writeLong(1);
            writer.finish();
            assertNull(writer.failure());
        }
        try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "sample/1", new RecordingSink())) {
            Thread.currentThread().interrupt();
            assertThrows(InterruptedIOException.class, writer::finish);
            assertTrue(Thread.interrupted());
            assertEquals(
                    InterruptedIOException.class.getName(),
                    Objects.requireNonNull(writer.failure()).className());
        }
    }

    @Test
    void taskThatIsNeverRunCanStillBeCancelled() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        Queue<Runnable> never = new ArrayDeque<>();
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .window(WINDOW)
                .sendingOn(never::add)
                .linger(Duration.ofMillis(10))
                .build();
        for (boolean finishes : new boolean[] {false, true}) {
            RecordingSink sink = new RecordingSink();
            ResultWriter writer = encoder.open(ID, "sample/1", sink);
            Future<?> canceller = audit.executor().submit(() -> {
                LockSupport.parkNanos(50_000_000);
                writer.cancel();
            });
            assertThrows(IOException.class, () -> {
                Sample.CODEC.encode(finishes ? new Sample(1, 3) : VALUE, writer.payload());
                writer.finish();
            });
            canceller.get();
            writer.close();
            audit.requireWhole();
            assertEquals(0, sink.chunks());
        }
        never.forEach(Runnable::run); // comes too late to do anything
        audit.requireWhole();
    }

    @Test
    void cancelReachesAFinishWhoseSinkIsStuck() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch freed = new CountDownLatch(1);
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            stuck.countDown();
            try {
                freed.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        ResultEncoder encoder =
                encoder(pool, true).linger(Duration.ofMillis(10)).build();
        try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
            writer.payload().writeLong(1);
            Future<?> canceller = audit.executor().submit(() -> {
                stuck.await();
                writer.cancel();
                return null;
            });
            assertThrows(IOException.class, writer::finish);
            canceller.get();
        }
        freed.countDown();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void openingThatIsRefusedKeepsNothing(boolean threaded) {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultEncoder encoder = encoder(pool, threaded).build();
        assertThrows(IllegalArgumentException.class, () -> encoder.open(ID, "x".repeat(65), new RecordingSink()));
        ResultId longJob = new ResultId("j".repeat(256), 1, 1, 0);
        assertThrows(IllegalArgumentException.class, () -> encoder.open(longJob, "sample/1", new RecordingSink()));
        assertThrows(
                IllegalArgumentException.class,
                () -> ResultEncoder.builder(pool).window(0).build());
        audit.requireWhole();
    }
}
