// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A job's results together have so many bytes and no more, by whatever way they come. */
final class JobLimitTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final long LIMIT = 100_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Arrivals arrivals = new Arrivals();

    private static ResultId task(int number) {
        return new ResultId("job", 1, number, 0);
    }

    private Ends open(Way way) throws Exception {
        return Ends.of(audit, way, arrivals)
                .server(server -> server.maxJobBytes(LIMIT))
                .open();
    }

    private static void send(Ends ends, ResultId id, long bytes) throws Exception {
        ends.client().send(id, Filling.CODEC, new Filling(id, bytes));
    }

    private static void refuses(Ends ends, ResultId id, long bytes) {
        UndeliveredResultException told = assertThrows(UndeliveredResultException.class, () -> send(ends, id, bytes));
        assertEquals(Verdict.REFUSED, told.fate().verdict());
        assertEquals(false, told.retriable());
    }

    @ParameterizedTest
    @EnumSource
    void resultIsRefusedWithinAChunkOfTheLimit(Way way) throws Exception {
        try (Ends ends = open(way)) {
            send(ends, task(0), 40_000);
            assertEquals(40_000, ends.server().jobBytes("job"));
            try (ResultWriter writer = ends.client().open(task(1), Filling.CODEC.id())) {
                Filling.write(task(1), 0, 60_000, writer.payload());
                UndeliveredResultException told = assertThrows(
                        UndeliveredResultException.class,
                        () -> Filling.write(task(1), 60_000, Long.MAX_VALUE, writer.payload()));
                assertEquals(Verdict.REFUSED, told.fate().verdict());
            }
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(task(1)));
            ResultTooLargeException here = assertInstanceOf(
                    ResultTooLargeException.class, arrivals.thrown().get(task(1)));
            assertEquals(LIMIT, here.limit());
            assertTrue(here.actual() > LIMIT && here.actual() <= LIMIT + CHUNK, here::toString);
            Eventually.isTrue("refunded", () -> ends.server().jobBytes("job") == 40_000);
            send(ends, task(2), 60_000);
            refuses(ends, task(3), 1);
            ResultId elsewhere = new ResultId("another job", 1, 0, 0);
            send(ends, elsewhere, LIMIT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void inlineBytesCount(Way way) throws Exception {
        try (Ends ends = open(way)) {
            ends.server().countInline("job", 90_000);
            refuses(ends, task(0), 20_000);
            ends.server().refundInline("job", 30_000);
            send(ends, task(1), 20_000);
            assertThrows(ResultTooLargeException.class, () -> ends.server().countInline("job", 20_001));
            ends.server().countInline("job", 20_000);
            assertEquals(LIMIT, ends.server().jobBytes("job"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatFailsOrIsSupersededCountsNoMore(Way way) throws Exception {
        try (Ends ends = open(way)) {
            for (int round = 0; round < 10; round++) {
                ResultId id = task(round);
                try (ResultWriter failing = ends.client().open(id, Filling.CODEC.id())) {
                    Filling.write(id, 0, 60_000, failing.payload());
                    failing.fail(new IllegalStateException());
                }
                Eventually.isTrue("refunded", () -> ends.server().jobBytes("job") == 0);
            }
            for (int attempt = 0; attempt < 10; attempt++) {
                ResultId id = new ResultId("job", 2, 0, attempt);
                ResultWriter open = ends.client().open(id, Filling.CODEC.id());
                Filling.write(id, 0, 20_000, open.payload());
                ResultId older = new ResultId("job", 2, 0, attempt - 1);
                Eventually.isTrue(
                        "begun",
                        () -> arrivals.begun().contains(id)
                                && (id.attempt() == 0 || arrivals.thrown().containsKey(older)));
                Filling.write(id, 20_000, 60_000, open.payload());
                if (attempt == 9) {
                    open.finish();
                }
                later.add(open); // superseded by the next one
            }
            later.forEach(ResultWriter::close);
            assertEquals(60_000, ends.server().jobBytes("job"));
        }
    }

    private final List<ResultWriter> later = new ArrayList<>();

    @ParameterizedTest
    @EnumSource
    void declaredSizeIsRefusedBeforeItsFirstByte(Way way) throws Exception {
        try (Ends ends = open(way)) {
            try (ResultWriter writer = ends.client().open(task(0), Filling.CODEC.id(), LIMIT + 1)) {
                UndeliveredResultException told = assertThrows(UndeliveredResultException.class, () -> {
                    Filling.write(task(0), 0, LIMIT + 1, writer.payload());
                    writer.finish();
                });
                assertEquals(Verdict.REFUSED, told.fate().verdict());
            }
            assertEquals(0, arrivals.calls());
            assertEquals(0, ends.server().jobBytes("job"));
            try (ResultWriter writer = ends.client().open(task(1), Filling.CODEC.id(), LIMIT)) {
                Filling.write(task(1), 0, LIMIT, writer.payload());
                writer.finish();
            }
            assertEquals(LIMIT, arrivals.whole().get(task(1)));
        }
    }

    /** Where a job's tasks race for its last bytes, what is accepted stays within its limit, and what is refused is gone. */
    @Test
    void racingResultsStayWithinTheLimit() throws Exception {
        int rounds = LeakAudit.FULL ? 100 : 4;
        for (int round = 0; round < rounds; round++) {
            try (Ends ends = open(Way.SOCKET)) {
                int before = arrivals.whole().size();
                AtomicInteger accepted = new AtomicInteger();
                List<Future<?>> tasks = new ArrayList<>();
                for (int number = 0; number < 32; number++) {
                    ResultId id = new ResultId("job", round, number, 0);
                    tasks.add(audit.executor().submit(() -> {
                        send(ends, id, 12_345);
                        return accepted.incrementAndGet();
                    }));
                }
                for (Future<?> task : tasks) {
                    try {
                        task.get(10, TimeUnit.SECONDS);
                    } catch (ExecutionException e) {
                        assertInstanceOf(UndeliveredResultException.class, e.getCause());
                    }
                }
                assertTrue(accepted.get() <= LIMIT / 12_345, () -> accepted + " were accepted");
                assertEquals(before + accepted.get(), arrivals.whole().size());
                Eventually.isTrue("counted", () -> ends.server().jobBytes("job") == 12_345L * accepted.get());
            }
        }
    }
}
