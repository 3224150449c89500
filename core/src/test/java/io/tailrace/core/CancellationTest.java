// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CancellationTest {

    private static final int CHUNK = 512;
    private static final int WINDOW = 3;
    private static final Sample VALUE = new Sample(11, 1_200);
    private static final ResultId ID = new ResultId("job", 5, 6, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool)
                .window(WINDOW)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
    }

    /** What stops a result, from the encoding thread, in front of a write. */
    private enum Stop {
        INTERRUPT,
        CANCEL,
        CLOSE,
        FAIL,
        FAIL_THEN_CLOSE,
        CANCEL_THEN_CLOSE,
        CANCEL_THEN_FAIL,
        CLOSE_TWICE;

        void run(ResultWriter writer) {
            switch (this) {
                case INTERRUPT -> Thread.currentThread().interrupt();
                case CANCEL -> writer.cancel();
                case CLOSE -> writer.close();
                case FAIL -> writer.fail(new IllegalStateException("given up"));
                case FAIL_THEN_CLOSE -> {
                    writer.fail(new IllegalStateException("given up"));
                    writer.close();
                }
                case CANCEL_THEN_CLOSE -> {
                    writer.cancel();
                    writer.close();
                }
                case CANCEL_THEN_FAIL -> {
                    writer.cancel();
                    writer.fail(new IllegalStateException("given up"));
                }
                case CLOSE_TWICE -> {
                    writer.close();
                    writer.close();
                }
            }
        }

        Class<? extends IOException> thrown() {
            return switch (this) {
                case INTERRUPT -> InterruptedIOException.class;
                case CANCEL, CANCEL_THEN_CLOSE, CANCEL_THEN_FAIL -> ResultCancelledException.class;
                default -> ResultFailedException.class;
            };
        }

        FailurePhase phase() {
            return switch (this) {
                case INTERRUPT, FAIL, FAIL_THEN_CLOSE -> FailurePhase.ENCODING;
                case CANCEL, CANCEL_THEN_CLOSE, CANCEL_THEN_FAIL -> FailurePhase.CANCELLED;
                case CLOSE, CLOSE_TWICE -> FailurePhase.CLOSED;
            };
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stopAtAnyChunkEndsTheResultThere(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int cases = 0;
        for (int k = 0; k <= VALUE.count(); k += CHUNK / Long.BYTES / 2) {
            for (Stop stop : Stop.values()) {
                stopsAt(k, stop, pool, threaded);
                cases++;
            }
        }
        audit.cases(cases);
    }

    private void stopsAt(int k, Stop stop, ChunkPool pool, boolean threaded) throws IOException {
        String where = stop + " at write " + k;
        RecordingSink sink = new RecordingSink();
        ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink);
        WireOutput out = writer.payload();
        IOException thrown = assertThrows(
                IOException.class,
                () -> {
                    for (int i = 0; i < VALUE.count(); i++) {
                        if (i == k) {
                            stop.run(writer);
                        }
                        out.writeLong(VALUE.at(i));
                    }
                    if (k == VALUE.count()) {
                        stop.run(writer);
                    }
                    writer.finish();
                },
                where);
        assertEquals(stop == Stop.INTERRUPT, Thread.interrupted(), where);
        assertInstanceOf(stop.thrown(), thrown, where);
        long beyond = out.written() - (long) k * Long.BYTES;
        assertTrue(beyond <= CHUNK, where + ": " + beyond + " bytes were written afterwards");
        assertSame(thrown, assertThrows(IOException.class, () -> out.next()), where);
        assertSame(thrown, assertThrows(IOException.class, writer::finish), where);
        assertSame(thrown, assertThrows(IOException.class, writer::trailer), where);
        writer.fail(new IllegalStateException("too late"));
        writer.cancel();
        writer.close();
        writer.close();
        audit.requireWhole();
        assertToldOnce(sink, pool, stop.phase(), where);
    }

    private static void assertToldOnce(RecordingSink sink, ChunkPool pool, FailurePhase phase, String where)
            throws IOException {
        assertEquals(1, sink.terminalFrames(), where);
        List<Received> results = Received.all(pool, sink.toByteArray());
        assertEquals(1, results.size(), where);
        Received result = results.get(0);
        assertEquals(phase, result.told().failure().phase(), where);
        assertTrue(VALUE.startsWith(result.payload()), where);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingFollowsAFinishedResult(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink);
        WireOutput out = writer.payload();
        Sample.CODEC.encode(VALUE, out);
        WireOutput trailer = writer.trailer();
        trailer.writeInt(1);
        writer.finish();
        byte[] sent = sink.toByteArray();
        assertThrows(IllegalStateException.class, () -> out.writeLong(1));
        assertThrows(IllegalStateException.class, () -> trailer.writeLong(1));
        assertThrows(IllegalStateException.class, () -> out.writeOutOfBand(new byte[1_000], 0, 1_000));
        assertThrows(IllegalStateException.class, writer::finish);
        writer.fail(new IOException("too late"));
        writer.cancel();
        writer.close();
        writer.close();
        assertEquals(sent.length, sink.toByteArray().length);
        assertEquals(1, sink.completions());
        assertTrue(Received.all(pool, sent).get(0).complete());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void payloadIsClosedOnceItsTrailerHasBegun(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        try (ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
            WireOutput out = writer.payload();
            out.writeLong(1);
            WireOutput trailer = writer.trailer();
            trailer.writeLong(2);
            assertThrows(IllegalStateException.class, () -> out.writeLong(3));
            assertThrows(IllegalStateException.class, () -> out.writeOutOfBand(new byte[1_000], 0, 1_000));
            trailer.writeLong(4);
            assertSame(trailer, writer.trailer());
            ResultSummary summary = writer.finish();
            assertEquals(8, summary.payloadBytes());
            assertEquals(16, summary.trailerBytes());
        }
        Received result = Received.all(pool, sink.toByteArray()).get(0);
        assertTrue(result.complete());
        assertEquals(8, result.payload().length);
        assertEquals(16, result.trailer().length);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cancelFromAnotherThreadMeetsTheResultAnywhere(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        SplittableRandom random = new SplittableRandom(audit.seed());
        int rounds = LeakAudit.FULL ? 20_000 : 300;
        int complete = 0;
        CyclicBarrier start = new CyclicBarrier(2);
        for (int i = 0; i < rounds; i++) {
            RecordingSink sink = new RecordingSink();
            int spins = random.nextInt(40_000);
            boolean closes = random.nextBoolean();
            ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink);
            Future<?> canceller = audit.executor().submit(() -> {
                start.await(20, TimeUnit.SECONDS);
                spin(spins);
                writer.cancel();
                return null;
            });
            start.await(20, TimeUnit.SECONDS);
            IOException thrown = null;
            try (writer) {
                Sample.CODEC.encode(VALUE, writer.payload());
                if (!closes) {
                    writer.finish();
                }
            } catch (ResultCancelledException e) {
                thrown = e;
            }
            canceller.get();
            audit.requireWhole();
            assertEquals(1, sink.terminalFrames());
            Received result = Received.all(pool, sink.toByteArray()).get(0);
            if (thrown == null && !closes) {
                complete++;
                assertTrue(result.complete());
            } else if (thrown != null && !(threaded && !closes && result.complete())) { // the end was on its way
                assertEquals(FailurePhase.CANCELLED, result.told().failure().phase());
            } else if (closes) {
                assertFalse(result.complete());
            }
            assertTrue(VALUE.startsWith(result.payload()));
        }
        audit.cases(rounds);
        audit.figure(complete + " of them were complete before");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptFromAnotherThreadMeetsTheResultAnywhere(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        SplittableRandom random = new SplittableRandom(audit.seed());
        int rounds = LeakAudit.FULL ? 20_000 : 300;
        int complete = 0;
        for (int i = 0; i < rounds; i++) {
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> LockSupport.parkNanos(1));
            int spins = random.nextInt(100_000);
            Thread encoding = Thread.currentThread();
            CyclicBarrier start = new CyclicBarrier(2);
            Future<?> interrupter = audit.executor().submit(() -> {
                start.await(20, TimeUnit.SECONDS);
                spin(spins);
                encoding.interrupt();
                return null;
            });
            boolean finished = false;
            try (ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
                start.await(20, TimeUnit.SECONDS);
                Sample.CODEC.encode(VALUE, writer.payload());
                writer.finish();
                finished = true;
            } catch (InterruptedIOException e) {
                assertTrue(Thread.currentThread().isInterrupted(), "the flag is kept");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // it met the barrier
            }
            awaitInterrupt(interrupter);
            audit.requireWhole();
            assertEquals(1, sink.terminalFrames(), "round " + i);
            Received result = Received.all(pool, sink.toByteArray()).get(0);
            complete += result.complete() ? 1 : 0;
            // Interrupted while the last frames were on their way, it may have arrived all the same.
            assertTrue(!finished || result.complete());
            assertTrue(VALUE.startsWith(result.payload()));
        }
        audit.cases(rounds);
        audit.figure(complete + " of them were complete before");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anyOrderOfCallsEndsInOneTerminalFrame(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        SplittableRandom random = new SplittableRandom(audit.seed());
        int rounds = LeakAudit.FULL ? 200_000 : 2_000;
        for (int i = 0; i < rounds; i++) {
            RecordingSink sink = new RecordingSink();
            StringBuilder calls = new StringBuilder();
            boolean finished = false;
            try (ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink)) {
                WireOutput[] outs = {writer.payload(), writer.payload()};
                for (int c = random.nextInt(12); c > 0; c--) {
                    finished |= call(random.nextInt(12), random, writer, outs, calls);
                }
            }
            Thread.interrupted();
            String where = "seed " + audit.seed() + ", round " + i + ": " + calls;
            audit.requireWhole();
            assertEquals(1, sink.terminalFrames(), where);
            List<Received> results = Received.all(pool, sink.toByteArray());
            assertEquals(1, results.size(), where);
            assertEquals(finished, results.get(0).complete(), where);
            assertTrue(finished || results.get(0).told() != null, where);
        }
        audit.cases(rounds);
    }

    private static boolean call(
            int choice, SplittableRandom random, ResultWriter writer, WireOutput[] outs, StringBuilder calls) {
        try {
            int size = random.nextInt(1_500);
            switch (choice) {
                case 0, 1, 2, 3 -> {
                    calls.append("payload(").append(size).append(") ");
                    outs[0].writeBytes(new byte[size], 0, size);
                }
                case 4 -> {
                    calls.append("outOfBand(").append(size).append(") ");
                    outs[0].writeOutOfBand(new byte[size], 0, size);
                }
                case 5 -> {
                    calls.append("trailer ");
                    outs[1] = writer.trailer();
                }
                case 6 -> {
                    calls.append("write(").append(size).append(") ");
                    outs[1].writeBytes(new byte[size], 0, size);
                }
                case 7 -> {
                    calls.append("finish ");
                    writer.finish();
                    return true;
                }
                case 8 -> {
                    calls.append("fail ");
                    writer.fail(new IOException("random"));
                }
                case 9 -> {
                    calls.append("cancel ");
                    writer.cancel();
                }
                case 10 -> {
                    calls.append("close ");
                    writer.close();
                }
                default -> {
                    calls.append("interrupt ");
                    Thread.currentThread().interrupt();
                }
            }
        } catch (ResultException | InterruptedIOException | IllegalStateException e) {
            calls.append('!');
        } catch (IOException e) {
            throw new AssertionError(calls.toString(), e);
        }
        return false;
    }

    @Test
    void cancelWakesAnEncoderThatWaitsForItsWindow() throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int rounds = LeakAudit.FULL ? 5_000 : 100;
        for (int i = 0; i < rounds; i++) {
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> LockSupport.parkNanos(50_000));
            ResultWriter writer = encoder(pool, true).open(ID, "sample/1", sink);
            Future<?> canceller = audit.executor().submit(() -> {
                LockSupport.parkNanos(200_000);
                writer.cancel();
            });
            try (writer) {
                assertThrows(ResultCancelledException.class, () -> {
                    while (true) {
                        writer.payload().writeLong(1);
                    }
                });
            }
            canceller.get();
            assertEquals(1, sink.terminalFrames());
        }
        audit.cases(rounds);
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }

    /** Of {@link #VALUE}'s result, the end frame's included. */
    private static final int CHUNKS = 21;

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void stopFromAnotherThreadMeetsEveryChunk(boolean threaded, boolean interrupts) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        SplittableRandom seeds = new SplittableRandom(audit.seed());
        int rounds = LeakAudit.FULL ? 100 : 5;
        int complete = 0;
        for (int k = 0; k < CHUNKS; k++) {
            for (int round = 0; round < rounds; round++) {
                complete += stoppedAtChunk(k, seeds.nextInt(500), pool, threaded, interrupts) ? 1 : 0;
            }
        }
        audit.cases((long) CHUNKS * rounds);
        audit.figure(complete + " of them were complete before");
    }

    /** The other thread begins when the sink has got chunk k in hand, and acts so many turns later. */
    private boolean stoppedAtChunk(int k, int turns, ChunkPool pool, boolean threaded, boolean interrupts)
            throws Exception {
        String where = "seed " + audit.seed() + ", chunk " + k + ", " + turns + " turns";
        CountDownLatch reached = new CountDownLatch(1);
        AtomicBoolean awake = new AtomicBoolean();
        int[] seen = new int[1];
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            seen[0] = chunk + 1;
            if (chunk == k) {
                reached.countDown();
                while (!awake.get()) { // else waking outlasts all other chunks
                    Thread.onSpinWait();
                }
            }
        });
        Thread encoding = Thread.currentThread();
        ResultWriter writer = encoder(pool, threaded).open(ID, "sample/1", sink);
        Future<?> other = audit.executor().submit(() -> {
            assertTrue(reached.await(20, TimeUnit.SECONDS), where);
            awake.set(true);
            spin(turns);
            if (interrupts) {
                encoding.interrupt();
            } else {
                writer.cancel();
            }
            return null;
        });
        IOException thrown = null;
        try (writer) {
            Sample.CODEC.encode(VALUE, writer.payload());
            writer.finish();
        } catch (ResultCancelledException | InterruptedIOException e) {
            thrown = e;
            assertEquals(interrupts, e instanceof InterruptedIOException, where);
            assertEquals(interrupts, Thread.currentThread().isInterrupted(), where);
        }
        awaitInterrupt(other);
        audit.requireWhole();
        assertTrue(seen[0] > k, where + ": the sink saw " + seen[0]);
        assertEquals(1, sink.terminalFrames(), where);
        Received result = Received.all(pool, sink.toByteArray()).get(0);
        assertTrue(thrown != null || result.complete(), where);
        assertTrue(VALUE.startsWith(result.payload()), where);
        // Stopped while the last frames were on their way, it may have arrived all the same.
        boolean arrived = result.complete() && (threaded || interrupts);
        if (thrown != null && !arrived) {
            assertEquals(
                    interrupts ? FailurePhase.ENCODING : FailurePhase.CANCELLED,
                    result.told().failure().phase(),
                    where);
        }
        return result.complete();
    }

    private static void awaitInterrupt(Future<?> interrupter) throws Exception {
        while (!interrupter.isDone()) {
            LockSupport.parkNanos(10_000);
            Thread.interrupted();
        }
        Thread.interrupted();
        interrupter.get();
    }
}
