// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.transport.PublishedResultTest.Below;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A result that is given away as an iterator, or as a future, is accepted when that has come to its end. */
final class TakenResultTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final long COUNT = 40_000;
    private static final ResultId ID = new ResultId("job", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final BlockingQueue<ResultIterator<Long>> iterators = new LinkedBlockingQueue<>();
    private final BlockingQueue<CompletableFuture<Filling>> futures = new LinkedBlockingQueue<>();

    private Ends iterating(Way way) throws IOException {
        return Ends.of(audit, way, result -> iterators.add(result.iterator(new Below())))
                .open();
    }

    private Ends promising(Way way) throws IOException {
        return Ends.of(audit, way, result -> futures.add(result.future(Filling.CODEC)))
                .open();
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(20, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("nothing came");
        }
        return next;
    }

    private Future<?> send(Ends ends, ResultId id) {
        Iterator<Long> values = LongStream.range(0, COUNT).boxed().iterator();
        return audit.executor().submit(() -> ends.client().send(id, new Below(), values));
    }

    private static UndeliveredResultException undelivered(Future<?> sent) {
        ExecutionException told = assertThrows(ExecutionException.class, () -> sent.get(20, TimeUnit.SECONDS));
        return assertInstanceOf(UndeliveredResultException.class, told.getCause());
    }

    private static UncheckedIOException fails(ResultIterator<Long> elements) {
        return assertThrows(UncheckedIOException.class, () -> {
            while (elements.hasNext()) {
                elements.next();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void oneThreadTakesTheElementsOfManyResults(Way way) throws Exception {
        try (Ends ends = iterating(way)) {
            List<Future<?>> sent = new ArrayList<>();
            for (int task = 0; task < 5; task++) {
                sent.add(send(ends, new ResultId("job", 1, task, 0)));
            }
            for (int task = 0; task < 5; task++) {
                try (ResultIterator<Long> elements = next(iterators)) {
                    long sum = 0;
                    while (elements.hasNext()) {
                        sum += elements.next();
                    }
                    assertEquals(COUNT * (COUNT - 1) / 2, sum);
                    assertFalse(elements.hasNext());
                    assertThrows(NoSuchElementException.class, elements::next);
                }
            }
            for (Future<?> each : sent) {
                each.get(20, TimeUnit.SECONDS);
            }
            assertEquals(5, ends.server().counters().resultsAccepted());
        }
    }

    @ParameterizedTest
    @EnumSource
    void iteratorIsAcceptedOnlyWhenItSaysThatThereIsNoMore(Way way) throws Exception {
        try (Ends ends = iterating(way)) {
            Future<?> sent = send(ends, ID);
            ResultIterator<Long> elements = next(iterators);
            for (long i = 0; i < COUNT; i++) {
                assertEquals(i, elements.next());
            }
            assertEquals(0, ends.client().counters().resultsAccepted());
            assertEquals(1, ends.server().openResults());
            assertFalse(elements.hasNext());
            sent.get(20, TimeUnit.SECONDS);
            elements.close();
            assertEquals(1, ends.client().counters().resultsAccepted());
        }
    }

    @ParameterizedTest
    @EnumSource
    void iteratorThatIsClosedEarlyStopsItsEncoderWithinAChunk(Way way) throws Exception {
        try (Ends ends = iterating(way);
                ResultWriter writer = ends.client().open(ID, new Below().id())) {
            Future<?> encoding = audit.executor().submit(() -> {
                for (long i = 0; ; i++) {
                    writer.payload().writeLong(i);
                }
            });
            ResultIterator<Long> elements = next(iterators);
            for (long i = 0; i < 1_000; i++) {
                assertEquals(i, elements.next());
            }
            Eventually.settlesAt(
                    "chunks of the encoder", 4L * CHUNK, () -> ends.sending().liveBytes());
            long before = writer.payloadBytes();
            elements.close();
            assertEquals(Verdict.CANCELLED, undelivered(encoding).fate().verdict());
            long after = writer.payloadBytes();
            assertTrue(after - before <= CHUNK, () -> after - before + " bytes were encoded behind the close");
            assertThrows(UncheckedIOException.class, elements::hasNext);
            Eventually.isTrue("it has ended", () -> ends.server().openResults() == 0);
            elements.close();
            assertEquals(1, ends.server().counters().resultsCancelled());
        }
    }

    @ParameterizedTest
    @EnumSource
    void iteratorThrowsWhatFailedItsResult(Way way) throws Exception {
        try (Ends ends = iterating(way);
                ResultWriter writer = ends.client().open(ID, new Below().id())) {
            for (long i = 0; i < CHUNK; i++) {
                writer.payload().writeLong(i);
            }
            ResultIterator<Long> elements = next(iterators);
            assertEquals(0, elements.next());
            writer.fail(new IllegalStateException("the disk is full"));
            UncheckedIOException told = fails(elements);
            ResultFailedException failed = assertInstanceOf(ResultFailedException.class, told.getCause());
            assertTrue(failed.getMessage().contains("the disk is full"), failed::getMessage);
            assertSame(
                    failed,
                    assertThrows(UncheckedIOException.class, elements::hasNext).getCause());
            Eventually.isTrue("it has ended", () -> ends.server().openResults() == 0);
        }
    }

    @Test
    void iteratorOfAHandlerThatFailsHasEnded() throws Exception {
        ResultServer.Handler fails = result -> {
            iterators.add(result.iterator(new Below()));
            throw new IllegalArgumentException("not this one");
        };
        try (Ends ends = Ends.of(audit, Way.SOCKET, fails).open()) {
            Future<?> sent = send(ends, ID);
            assertEquals(Verdict.REFUSED, undelivered(sent).fate().verdict());
            try (ResultIterator<Long> elements = next(iterators)) {
                UndeliveredResultException told = assertInstanceOf(
                        UndeliveredResultException.class, fails(elements).getCause());
                assertTrue(told.fate().reason().contains("not this one"), told::toString);
            }
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
        }
    }

    /** It would decide over the result before the handler has. */
    @Test
    void iteratorIsNotForTheHandlerItself() throws Exception {
        ResultServer.Handler early = result -> {
            ResultIterator<Long> elements = result.iterator(new Below());
            assertFalse(elements.hasNext());
        };
        try (Ends ends = Ends.of(audit, Way.SOCKET, early).open()) {
            for (int round = 0; round < 40; round++) {
                Future<?> sent = send(ends, new ResultId("job", 1, round, 0));
                String reason = undelivered(sent).fate().reason();
                assertTrue(reason.contains("when the handler has returned"), reason);
            }
            Eventually.isTrue("all have ended", () -> ends.server().openResults() == 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void cancelEndsWhatNobodyTakes(Way way) throws Exception {
        BlockingQueue<ArrivingResult> results = new LinkedBlockingQueue<>();
        ResultServer.Handler handler = result -> {
            if (result.id().task() % 2 == 0) {
                iterators.add(result.iterator(new Below()));
            } else {
                result.publish(new Below(), audit.executor());
            }
            results.add(result);
        };
        try (Ends ends = Ends.of(audit, way, handler)
                .server(server -> server.maxResults(2))
                .open()) {
            for (int round = 0; round < 8; round++) {
                Future<?> sent = send(ends, new ResultId("job", 1, round, 0));
                next(results).cancel("nobody wants it");
                assertEquals(Verdict.CANCELLED, undelivered(sent).fate().verdict());
                Eventually.isTrue("it has ended", () -> ends.server().openResults() == 0);
            }
            assertEquals(8, ends.server().counters().resultsCancelled());
        }
    }

    @Test
    void iteratorThatWaitsIsWokenByACancel() throws Exception {
        BlockingQueue<ArrivingResult> results = new LinkedBlockingQueue<>();
        ResultServer.Handler handler = result -> {
            iterators.add(result.iterator(new Below()));
            results.add(result);
        };
        try (Ends ends = Ends.of(audit, Way.SOCKET, handler).open();
                ResultWriter writer = ends.client().open(ID, new Below().id())) {
            for (long i = 0; i < CHUNK; i++) {
                writer.payload().writeLong(i);
            }
            ResultIterator<Long> elements = next(iterators);
            Future<UncheckedIOException> waiting = audit.executor().submit(() -> fails(elements));
            next(results).cancel("enough");
            assertTrue(waiting.get(20, TimeUnit.SECONDS).getMessage().contains("enough"));
        }
    }

    @Test
    void resultIsGivenAwayOnce() throws Exception {
        ResultServer.Handler greedy = result -> {
            futures.add(result.future(Filling.CODEC));
            assertThrows(IllegalStateException.class, () -> result.iterator(new Below()));
            assertThrows(IllegalStateException.class, () -> result.future(Filling.CODEC));
            assertThrows(IllegalStateException.class, () -> result.publish(new Below(), Runnable::run));
        };
        try (Ends ends = Ends.of(audit, Way.SOCKET, greedy).open()) {
            ends.client().send(ID, Filling.CODEC, new Filling(ID, 100_000));
            assertEquals(100_000, next(futures).get(20, TimeUnit.SECONDS).bytes());
        }
    }

    @ParameterizedTest
    @EnumSource
    void futureIsCompletedWhenTheResultCounts(Way way) throws Exception {
        try (Ends ends = promising(way)) {
            ends.client().send(ID, Filling.CODEC, new Filling(ID, 400_000));
            assertEquals(400_000, next(futures).get(20, TimeUnit.SECONDS).bytes());
            assertEquals(1, ends.server().counters().resultsAccepted());
            ResultId small = new ResultId("job", 1, 2, 0);
            ResultFate fate = ends.client()
                    .submit(small, Filling.CODEC, new Filling(small, 10))
                    .get(20, TimeUnit.SECONDS);
            assertEquals(Verdict.ACCEPTED, fate.verdict());
            assertEquals(10, next(futures).get(20, TimeUnit.SECONDS).bytes());
        }
    }

    @ParameterizedTest
    @EnumSource
    void futureFailsWithWhatFailedItsResult(Way way) throws Exception {
        try (Ends ends = promising(way);
                ResultWriter writer = ends.client().open(ID, Filling.CODEC.id())) {
            Filling.write(ID, 0, 4L * CHUNK, writer.payload());
            CompletableFuture<Filling> value = next(futures);
            assertFalse(value.isDone());
            writer.fail(new IllegalStateException("the disk is full"));
            ExecutionException told = assertThrows(ExecutionException.class, () -> value.get(20, TimeUnit.SECONDS));
            ResultFailedException failed = assertInstanceOf(ResultFailedException.class, told.getCause());
            assertTrue(failed.getMessage().contains("the disk is full"), failed::getMessage);
        }
    }

    /** Whichever learns of it first, who cancels or who decodes. */
    @ParameterizedTest
    @EnumSource
    void futureThatIsCancelledStopsItsEncoder(Way way) throws Exception {
        try (Ends ends = promising(way)) {
            for (int task = 0; task < 30; task++) {
                ResultId id = new ResultId("job", 3, task, 0);
                try (ResultWriter writer = ends.client().open(id, Filling.CODEC.id())) {
                    Future<?> encoding = audit.executor().submit(() -> {
                        Filling.write(id, 0, Long.MAX_VALUE, writer.payload());
                        return null;
                    });
                    CompletableFuture<Filling> value = next(futures);
                    assertTrue(value.cancel(true));
                    assertTrue(value.isCancelled());
                    UndeliveredResultException told = undelivered(encoding);
                    assertEquals(Verdict.CANCELLED, told.fate().verdict());
                    assertTrue(told.fate().reason().contains("its future was cancelled"), told::toString);
                }
            }
        }
    }

    @Test
    void futureOfASupersededAttemptSaysSo() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        ResultServer.Handler handler = result -> {
            futures.add(result.future(Filling.CODEC));
            begun.countDown();
        };
        ResultId newer = new ResultId("job", 1, 1, 1);
        try (Ends ends = Ends.of(audit, Way.SOCKET, handler).open();
                ResultWriter older = ends.client().open(ID, Filling.CODEC.id())) {
            Filling.write(ID, 0, 4L * CHUNK, older.payload());
            assertTrue(begun.await(20, TimeUnit.SECONDS));
            ends.client().send(newer, Filling.CODEC, new Filling(newer, 10_000));
            CompletableFuture<Filling> superseded = next(futures);
            ExecutionException told =
                    assertThrows(ExecutionException.class, () -> superseded.get(20, TimeUnit.SECONDS));
            UndeliveredResultException fate = assertInstanceOf(UndeliveredResultException.class, told.getCause());
            assertEquals(Verdict.SUPERSEDED, fate.fate().verdict());
            assertEquals(10_000, next(futures).get(20, TimeUnit.SECONDS).bytes());
        }
    }
}
