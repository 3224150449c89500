// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A result is stopped at each of its first chunks, from either side, and the one beside it goes on. */
final class StoppingTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final int CHUNKS = LeakAudit.FULL ? 40 : 12;
    private static final ResultId NEIGHBOUR = new ResultId("job", 2, 0, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** How a sender ends a result that is not whole. */
    private enum Stop {
        CANCEL(FailurePhase.CANCELLED) {
            @Override
            void stop(ResultWriter writer) throws IOException {
                writer.cancel();
                assertThrows(ResultCancelledException.class, () -> endless(writer));
                writer.close();
            }
        },
        FAIL(FailurePhase.ENCODING) {
            @Override
            void stop(ResultWriter writer) {
                writer.fail(new IllegalStateException("of the test"));
            }
        },
        CLOSE(FailurePhase.CLOSED) {
            @Override
            void stop(ResultWriter writer) {
                writer.close();
            }
        },
        INTERRUPT(FailurePhase.ENCODING) {
            @Override
            void stop(ResultWriter writer) {
                Thread.currentThread().interrupt();
                assertThrows(InterruptedIOException.class, () -> endless(writer));
                assertTrue(Thread.interrupted(), "the flag was not kept");
                writer.close();
            }
        };

        final FailurePhase told;

        Stop(FailurePhase told) {
            this.told = told;
        }

        abstract void stop(ResultWriter writer) throws IOException;
    }

    private static void endless(ResultWriter writer) throws IOException {
        long from = writer.payloadBytes();
        Filling.write(writer.id(), from, from + 3L * CHUNK, writer.payload());
        throw new AssertionError("three chunks more were taken");
    }

    @ParameterizedTest
    @CsvSource({
        "SOCKET,CANCEL", "SOCKET,FAIL", "SOCKET,CLOSE", "SOCKET,INTERRUPT",
        "LOCAL,CANCEL", "LOCAL,FAIL", "LOCAL,CLOSE", "LOCAL,INTERRUPT"
    })
    void receiverIsToldOfAStopAtEachChunk(Way way, Stop how) throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            long idle = idleBytes(ends);
            try (Neighbour neighbour = new Neighbour(ends)) {
                for (int chunk = 0; chunk < CHUNKS; chunk++) {
                    ResultId id = new ResultId("job", 1, chunk, 0);
                    ResultWriter writer = ends.client().open(id, Filling.CODEC.id());
                    Filling.write(id, 0, (long) chunk * CHUNK + chunk, writer.payload());
                    boolean heardOf = chunk > 0; // else nothing was sent, and nobody need know
                    Eventually.isTrue(
                            "begun", () -> !heardOf || arrivals.begun().contains(id));
                    how.stop(writer);
                    if (heardOf) {
                        Eventually.isTrue("told", () -> arrivals.thrown().containsKey(id));
                        ResultFailedException told = assertInstanceOf(
                                ResultFailedException.class, arrivals.thrown().get(id));
                        assertEquals(how.told, told.failure().phase());
                    }
                    Eventually.isTrue("released", () -> writer.liveBytes() == 0);
                }
                neighbour.finish();
            }
            assertEquals(1, arrivals.whole().size());
            Eventually.isTrue("no result is open", () -> ends.server().openResults() == 0);
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            assertNothingIsHeld(ends, idle);
        }
    }

    /** What the credit that all results share takes while there is none. */
    private static long idleBytes(Ends ends) throws Exception {
        ResultId id = new ResultId("job", 3, 0, 0);
        ends.client().open(id, Filling.CODEC.id()).close();
        long shared = 16L * CHUNK;
        Eventually.settlesAt("shared credit", shared, () -> ends.receiving().liveBytes());
        return shared;
    }

    /** Shared credit is given anew half of it at a time: what is not given is free, and what is comes back with the end. */
    private static void assertNothingIsHeld(Ends ends, long idle) throws InterruptedException {
        Eventually.isTrue("no more than shared credit", () -> ends.receiving().liveBytes() <= idle);
        assertTrue(ends.receiving().liveBytes() >= idle / 2);
        ends.client().close();
        Eventually.settlesAt(
                "the receiver's live bytes", 0, () -> ends.receiving().liveBytes());
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,true", "SOCKET,false", "LOCAL,true", "LOCAL,false"})
    void senderIsToldOfAStopAtEachChunk(Way way, boolean cancels) throws Exception {
        Arrivals arrivals = new Arrivals(result -> {
            if (result.id().stage() == 1) {
                Filling.read(result.id(), result.id().task() * CHUNK, result.payload());
                if (!cancels) {
                    throw new IllegalStateException(
                            "enough of task " + result.id().task());
                }
                result.cancel("enough of task " + result.id().task());
            }
        });
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            long idle = idleBytes(ends);
            try (Neighbour neighbour = new Neighbour(ends)) {
                for (int chunk = 0; chunk < CHUNKS; chunk++) {
                    ResultId id = new ResultId("job", 1, chunk, 0);
                    ResultWriter writer = ends.client().open(id, Filling.CODEC.id());
                    UndeliveredResultException told = assertThrows(
                            UndeliveredResultException.class,
                            () -> Filling.write(id, 0, Long.MAX_VALUE, writer.payload()));
                    assertEquals(
                            cancels ? Verdict.CANCELLED : Verdict.REFUSED,
                            told.fate().verdict());
                    assertTrue(told.fate().reason().endsWith("enough of task " + chunk), told::toString);
                    assertEquals(id, told.resultId());
                    writer.close();
                    Eventually.isTrue("released", () -> writer.liveBytes() == 0);
                    Eventually.isTrue("thrown", () -> arrivals.thrown().containsKey(id));
                    assertEquals(
                            cancels ? ResultCancelledException.class : IllegalStateException.class,
                            arrivals.thrown().get(id).getClass());
                }
                neighbour.finish();
            }
            assertTrue(arrivals.whole().containsKey(NEIGHBOUR));
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            assertNothingIsHeld(ends, idle);
        }
    }

    @ParameterizedTest
    @EnumSource
    void cancelFromAnotherThreadEndsAWaitForCredit(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            for (int round = 0; round < 6; round++) {
                boolean interrupts = round % 2 == 0;
                ResultId id = new ResultId("job", 1, round, 0);
                ResultWriter writer = ends.client().open(id, Filling.CODEC.id());
                CountDownLatch begun = new CountDownLatch(1);
                Thread[] encoding = new Thread[1];
                Future<IOException> thrown = audit.executor().submit(() -> {
                    encoding[0] = Thread.currentThread();
                    begun.countDown();
                    IOException seen = assertThrows(
                            IOException.class, () -> Filling.write(id, 0, Long.MAX_VALUE, writer.payload()));
                    assertEquals(interrupts, Thread.interrupted());
                    writer.close();
                    return seen;
                });
                begun.await();
                Eventually.settlesAt("the window", 4L * CHUNK, writer::liveBytes);
                if (interrupts) {
                    encoding[0].interrupt();
                } else {
                    writer.cancel();
                }
                assertEquals(
                        interrupts ? InterruptedIOException.class : ResultCancelledException.class,
                        thrown.get(10, TimeUnit.SECONDS).getClass());
                Eventually.isTrue("released", () -> writer.liveBytes() == 0);
            }
            release.countDown();
            Eventually.isTrue("all ended", () -> arrivals.thrown().size() == 6);
            arrivals.thrown().values().forEach(each -> assertInstanceOf(ResultFailedException.class, each));
        }
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAWaitForTheAnswer(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch reached = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> {
            reached.countDown();
            release.await();
        });
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            ResultId id = new ResultId("job", 1, 1, 0);
            Thread[] encoding = new Thread[1];
            Future<?> sent = audit.executor().submit(() -> {
                encoding[0] = Thread.currentThread();
                IOException ended = assertThrows(
                        IOException.class, () -> ends.client().send(id, Filling.CODEC, new Filling(id, 10)));
                assertInstanceOf(InterruptedIOException.class, ended.getCause());
                assertTrue(Thread.interrupted());
                return null;
            });
            reached.await();
            encoding[0].interrupt();
            sent.get(10, TimeUnit.SECONDS);
            release.countDown();
            Eventually.isTrue("whole all the same", () -> arrivals.whole().containsKey(id));
        }
    }

    /** A handler that was interrupted has ended with that; who is in line behind it has not. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void interruptOfAHandlerIsNotTheNextOnes(boolean thrown) throws Exception {
        CountDownLatch inLine = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> {
            if (result.id().task() == 0) {
                inLine.await();
                Thread.currentThread().interrupt();
                if (thrown) {
                    Thread.sleep(1);
                }
            }
        });
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                .server(server -> server.maxDecoders(1))
                .open()) {
            CompletableFuture<ResultFate> first = send(ends, 0, 10);
            Eventually.isTrue("begun", () -> arrivals.calls() == 1);
            ResultId longer = new ResultId("job", 1, 1, 0);
            Future<?> second = audit.executor()
                    .submit(() -> ends.client().send(longer, Filling.CODEC, new Filling(longer, 200_000)));
            CompletableFuture<ResultFate> third = send(ends, 2, 10);
            Eventually.isTrue("in line", () -> ends.server().openResults() == 3);
            inLine.countDown();
            first.get(10, TimeUnit.SECONDS);
            second.get(10, TimeUnit.SECONDS);
            assertEquals(Verdict.ACCEPTED, third.get(10, TimeUnit.SECONDS).verdict());
        }
    }

    /** So little of it that its encoder has not to wait. */
    private static CompletableFuture<ResultFate> send(Ends ends, int task, long bytes) throws IOException {
        ResultId id = new ResultId("job", 1, task, 0);
        return ends.client().submit(id, Filling.CODEC, new Filling(id, bytes));
    }

    /** A long result that is under way on the same connection meanwhile. */
    private final class Neighbour implements AutoCloseable {
        private final CountDownLatch enough = new CountDownLatch(1);
        private final Future<?> sent;

        Neighbour(Ends ends) {
            sent = audit.executor().submit(() -> {
                try (ResultWriter writer = ends.client().open(NEIGHBOUR, Filling.CODEC.id())) {
                    do {
                        long from = writer.payloadBytes();
                        Filling.write(NEIGHBOUR, from, from + 1_000, writer.payload());
                    } while (!enough.await(1, TimeUnit.MILLISECONDS));
                    return writer.finish();
                }
            });
        }

        void finish() throws Exception {
            enough.countDown();
            sent.get(20, TimeUnit.SECONDS);
        }

        @Override
        public void close() {
            enough.countDown();
        }
    }
}
