// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Of a task's attempts one counts, and each of their senders is told what became of its own. */
final class AttemptsTest {

    private static final int CHUNK = Ends.CHUNK;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static ResultId attempt(int number) {
        return new ResultId("job", 1, 7, number);
    }

    private static UndeliveredResultException refused(ResultClient client, ResultId id) {
        return assertThrows(
                UndeliveredResultException.class, () -> client.send(id, Filling.CODEC, new Filling(id, 100_000)));
    }

    @ParameterizedTest
    @EnumSource
    void newerAttemptSupersedesOneThatRuns(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals).open();
                ResultWriter older = ends.client().open(attempt(0), Filling.CODEC.id())) {
            Filling.write(attempt(0), 0, 10L * CHUNK, older.payload());
            Eventually.isTrue("begun here", () -> arrivals.begun().contains(attempt(0)));
            ends.client().send(attempt(1), Filling.CODEC, new Filling(attempt(1), 100_000));
            UndeliveredResultException told = assertThrows(
                    UndeliveredResultException.class,
                    () -> Filling.write(attempt(0), 10L * CHUNK, Long.MAX_VALUE, older.payload()));
            assertEquals(Verdict.SUPERSEDED, told.fate().verdict());
            assertTrue(told.fate().reason().contains("attempt 1"), told::toString);
            assertFalse(told.retriable());
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(attempt(0)));
            assertInstanceOf(UndeliveredResultException.class, arrivals.thrown().get(attempt(0)));
            assertEquals(100_000, arrivals.whole().get(attempt(1)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void supersededHandlerThatSleepsDoesNotHoldItsSender(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> {
            if (result.id().attempt() == 0) {
                release.await();
            }
        });
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            Future<UndeliveredResultException> older =
                    audit.executor().submit(() -> refused(ends.client(), attempt(0)));
            Eventually.isTrue("begun", () -> arrivals.calls() == 1);
            ends.client().send(attempt(1), Filling.CODEC, new Filling(attempt(1), 100_000));
            assertEquals(
                    Verdict.SUPERSEDED, older.get(10, TimeUnit.SECONDS).fate().verdict());
            release.countDown();
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(attempt(0)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void staleAttemptIsRefusedUnread(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            ends.client().send(attempt(5), Filling.CODEC, new Filling(attempt(5), 10));
            assertEquals(
                    Verdict.SUPERSEDED,
                    refused(ends.client(), attempt(4)).fate().verdict());
            assertEquals(1, arrivals.calls());
            ends.client().send(attempt(6), Filling.CODEC, new Filling(attempt(6), 10));
            assertEquals(2, arrivals.whole().size());
        }
    }

    @ParameterizedTest
    @EnumSource
    void replayOverANewConnectionIsToldTheFirstFate(Way way) throws Exception {
        Arrivals arrivals = new Arrivals(result -> {
            if (result.id().task() == 2) {
                throw new IllegalArgumentException("of the handler");
            } else if (result.id().task() == 3) {
                result.cancel("of the handler");
            }
        });
        ResultId accepted = new ResultId("job", 1, 1, 0);
        ResultId refused = new ResultId("job", 1, 2, 0);
        ResultId cancelled = new ResultId("job", 1, 3, 0);
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            for (int round = 0; round < 3; round++) {
                try (ResultClient again = ResultClient.builder(ends.encoder())
                        .connect(ends.server().address())) {
                    again.send(accepted, Filling.CODEC, new Filling(accepted, 100_000));
                    UndeliveredResultException told = refused(again, refused);
                    assertEquals(Verdict.REFUSED, told.fate().verdict());
                    assertTrue(told.fate().reason().contains("of the handler"), told::toString);
                    told = refused(again, cancelled);
                    assertEquals(Verdict.CANCELLED, told.fate().verdict());
                    assertEquals("of the handler", told.fate().reason());
                }
            }
            assertEquals(3, arrivals.calls());
        }
    }

    /** A cancel that comes behind the last byte cancels what its handler would have accepted. */
    @Test
    void cancelBehindTheEndIsTheFateThatIsKept() throws Exception {
        ResultServer.Handler handler = result -> {
            Filling.read(result.id(), Long.MAX_VALUE, result.payload());
            result.finish();
            result.cancel("too late to be sorry");
        };
        try (Ends ends = Ends.of(audit, Way.SOCKET, handler).open()) {
            for (int round = 0; round < 2; round++) {
                assertEquals(
                        Verdict.CANCELLED,
                        refused(ends.client(), attempt(0)).fate().verdict());
            }
            assertEquals(0, ends.server().jobBytes("job"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void replayOfAnAttemptThatRunsIsToldItsFate(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, way, arrivals).open();
                ResultClient other = ResultClient.builder(ends.encoder())
                        .connect(ends.server().address())) {
            Future<?> first = audit.executor()
                    .submit(() -> ends.client().send(attempt(0), Filling.CODEC, new Filling(attempt(0), 100_000)));
            Eventually.isTrue("begun", () -> arrivals.calls() == 1);
            Future<?> replay = audit.executor()
                    .submit(() -> other.send(attempt(0), Filling.CODEC, new Filling(attempt(0), 100_000)));
            assertThrows(TimeoutException.class, () -> replay.get(50, TimeUnit.MILLISECONDS));
            release.countDown();
            first.get(10, TimeUnit.SECONDS);
            replay.get(10, TimeUnit.SECONDS);
            assertEquals(1, arrivals.calls());
        }
    }

    @ParameterizedTest
    @EnumSource
    void firstAcceptedOfAttemptsSideBySideWins(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> {
            if (result.id().attempt() == 0) {
                release.await();
            }
        });
        try (Ends ends = Ends.of(audit, way, arrivals)
                .server(server -> server.firstAcceptedWins(true))
                .open()) {
            Future<UndeliveredResultException> slow = audit.executor().submit(() -> refused(ends.client(), attempt(0)));
            Eventually.isTrue("begun", () -> arrivals.calls() == 1);
            ends.client().send(attempt(1), Filling.CODEC, new Filling(attempt(1), 100_000));
            assertEquals(
                    Verdict.SUPERSEDED, slow.get(10, TimeUnit.SECONDS).fate().verdict());
            release.countDown();
            assertEquals(
                    Verdict.SUPERSEDED,
                    refused(ends.client(), attempt(2)).fate().verdict());
            assertEquals(Set.of(attempt(1)), arrivals.whole().keySet());
        }
    }

    @ParameterizedTest
    @EnumSource
    void acceptanceComesBehindTheHandler(Way way) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(1);
        ResultServer.Handler handler = result -> {
            Filling.read(result.id(), Long.MAX_VALUE, result.payload());
            result.finish();
            read.countDown();
            release.await();
        };
        try (Ends ends = Ends.of(audit, way, handler).open()) {
            Future<?> sent = audit.executor()
                    .submit(() -> ends.client().send(attempt(0), Filling.CODEC, new Filling(attempt(0), 100_000)));
            assertTrue(read.await(10, TimeUnit.SECONDS));
            assertThrows(TimeoutException.class, () -> sent.get(100, TimeUnit.MILLISECONDS));
            assertEquals(1, ends.server().openResults());
            release.countDown();
            sent.get(10, TimeUnit.SECONDS);
            assertEquals(0, ends.server().openResults());
        }
    }

    @ParameterizedTest
    @EnumSource
    void lostConnectionIsAFateOnBothSides(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        ResultWriter writer;
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            writer = ends.client().open(attempt(0), Filling.CODEC.id());
            Filling.write(attempt(0), 0, 10L * CHUNK, writer.payload());
            Eventually.isTrue("begun", () -> arrivals.calls() == 1);
            ends.server().close();
            UndeliveredResultException told = assertThrows(
                    UndeliveredResultException.class,
                    () -> Filling.write(attempt(0), 10L * CHUNK, Long.MAX_VALUE, writer.payload()));
            assertEquals(Verdict.LOST, told.fate().verdict());
            assertTrue(told.retriable());
            writer.close();
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(attempt(0)));
            assertTrue(assertInstanceOf(
                            TruncatedResultException.class, arrivals.thrown().get(attempt(0)))
                    .retriable());
        }
    }

    @Test
    void longReasonIsToldInPart() throws Exception {
        String reason = "é\uD800 x".repeat(20_000);
        try (Ends ends = Ends.of(audit, Way.SOCKET, result -> {
                    throw new IllegalStateException(reason);
                })
                .open()) {
            UndeliveredResultException told = refused(ends.client(), attempt(0));
            assertEquals(Verdict.REFUSED, told.fate().verdict());
            assertTrue(told.fate().reason().startsWith("java.lang.IllegalStateException: é"), told::toString);
            ResultId next = new ResultId("job", 1, 8, 0);
            assertEquals(Verdict.REFUSED, refused(ends.client(), next).fate().verdict());
        }
    }

    @Test
    void errorOfAHandlerRefusesItsResultAlone() throws Exception {
        Arrivals arrivals = new Arrivals(result -> {
            switch ((int) result.id().task()) {
                case 0 -> throw new StackOverflowError("of the handler");
                case 1 -> throw new OutOfMemoryError("of the handler");
                case 2 -> throw new AssertionError();
                default -> {}
            }
        });
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                .server(server -> server.maxDecoders(1))
                .open()) {
            for (int task = 0; task < 3; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                assertEquals(Verdict.REFUSED, refused(ends.client(), id).fate().verdict());
            }
            ResultId last = new ResultId("job", 1, 3, 0);
            ends.client().send(last, Filling.CODEC, new Filling(last, 100_000));
            assertEquals(100_000, arrivals.whole().get(last));
        }
    }

    @Test
    void resultBeyondTheMostAtOnceIsRefusedRetriably() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                .server(server -> server.maxResults(3))
                .open()) {
            List<Future<?>> sent = new ArrayList<>();
            for (int task = 0; task < 3; task++) {
                ResultId id = new ResultId("job", 2, task, 0);
                sent.add(audit.executor().submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, 10))));
            }
            Eventually.isTrue("open", () -> ends.server().openResults() == 3);
            UndeliveredResultException told = refused(ends.client(), attempt(0));
            assertEquals(Verdict.REFUSED, told.fate().verdict());
            assertTrue(told.retriable());
            release.countDown();
            for (Future<?> each : sent) {
                each.get(10, TimeUnit.SECONDS);
            }
            ends.client().send(attempt(0), Filling.CODEC, new Filling(attempt(0), 10));
        }
    }
}
