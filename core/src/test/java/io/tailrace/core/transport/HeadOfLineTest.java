// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A result that is not read holds its own window at both ends, and nothing of anybody else's. */
final class HeadOfLineTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final int STALLED_STAGE = 9;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final CountDownLatch release = new CountDownLatch(1);
    private final CountDownLatch reached = new CountDownLatch(15);

    private void stall(ArrivingResult result) throws Exception {
        if (result.id().stage() == STALLED_STAGE) {
            Filling.read(result.id(), CHUNK, result.payload());
            reached.countDown();
            release.await();
        }
    }

    @ParameterizedTest
    @EnumSource
    void stalledHandlersDelayNobody(Way way) throws Exception {
        int others = LeakAudit.FULL ? 5_000 : 300;
        Arrivals arrivals = new Arrivals(this::stall);
        try (Ends ends = Ends.of(audit, way, arrivals)
                .receiving(CHUNK, 15 * 8 + 128)
                .server(server -> server.window(8))
                .open()) {
            long idle = latency(ends, 1, others);
            List<Future<?>> stalled = new ArrayList<>();
            try {
                for (int task = 0; task < 15; task++) {
                    ResultId id = new ResultId("job", STALLED_STAGE, task, 0);
                    stalled.add(audit.executor()
                            .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, 1 << 20))));
                }
                assertTrue(reached.await(20, TimeUnit.SECONDS));
                long beside = latency(ends, 2, others);
                audit.figure("p99 of a result of 24 KB " + idle / 1_000 + " µs alone, " + beside / 1_000
                        + " µs beside 15 stalled ones");
                assertEquals(2 * others, arrivals.whole().size());
            } finally {
                release.countDown();
            }
            for (Future<?> each : stalled) {
                each.get(20, TimeUnit.SECONDS);
            }
            assertEquals(2 * others + 15, arrivals.whole().size());
        }
    }

    /** The 99th percentile of results sent one after another. */
    private static long latency(Ends ends, int stage, int results) throws Exception {
        long[] nanos = new long[results];
        for (int task = 0; task < results; task++) {
            ResultId id = new ResultId("job", stage, task, 0);
            long start = System.nanoTime();
            ends.client().send(id, Filling.CODEC, new Filling(id, 24_000));
            nanos[task] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        return nanos[(int) (results * 0.99)];
    }

    @ParameterizedTest
    @EnumSource
    void unreadResultsHoldTheirSenderToItsWindowsExactly(Way way) throws Exception {
        int results = LeakAudit.FULL ? 100 : 12;
        long bytes = LeakAudit.FULL ? 64L << 20 : 1L << 20;
        int chunk = LeakAudit.FULL ? 64 << 10 : CHUNK;
        Arrivals arrivals = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, way, arrivals)
                .receiving(chunk, results * 4 + 64)
                .sending(chunk, 4 * results + 8)
                .server(server -> server.window(4))
                .open()) {
            Map<Integer, ResultWriter> writers = new ConcurrentHashMap<>();
            List<Future<?>> tasks = new ArrayList<>();
            try {
                for (int task = 0; task < results; task++) {
                    ResultId id = new ResultId("job", 1, task, 0);
                    tasks.add(audit.executor().submit(() -> {
                        try (ResultWriter writer = ends.client().open(id, Filling.CODEC.id())) {
                            writers.put((int) id.task(), writer);
                            Filling.write(id, 0, bytes, writer.payload());
                            return writer.finish();
                        }
                    }));
                }
                long exactly = 4L * results * chunk;
                Eventually.settlesAt(
                        "the sender's live bytes", exactly, () -> ends.sending().liveBytes());
                writers.values().forEach(writer -> assertEquals(4L * chunk, writer.liveBytes()));
                assertEquals(exactly, ends.sending().peakLiveBytes());
            } finally {
                release.countDown();
            }
            for (Future<?> task : tasks) {
                task.get(LeakAudit.FULL ? 300 : 20, TimeUnit.SECONDS);
            }
            assertEquals(results, arrivals.whole().size());
            arrivals.whole().values().forEach(each -> assertEquals(bytes, each));
            assertTrue(ends.sending().peakLiveBytes() <= 4L * results * chunk);
        }
    }

    @ParameterizedTest
    @EnumSource
    void slowReceiverSlowsItsOwnSenderAlone(Way way) throws Exception {
        int pause = LeakAudit.FULL ? 100 : 5;
        Arrivals arrivals = new Arrivals(result -> {
            for (long at = 0; result.id().stage() == STALLED_STAGE && at < 60L * CHUNK; at += CHUNK) {
                Filling.read(result.id(), at, result.payload());
                Thread.sleep(pause);
            }
        });
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            ResultId slow = new ResultId("job", STALLED_STAGE, 1, 0);
            Future<?> sent =
                    audit.executor().submit(() -> ends.client().send(slow, Filling.CODEC, new Filling(slow, 400_000)));
            int quick = 0;
            while (!sent.isDone()) {
                ResultId id = new ResultId("job", 1, quick++, 0);
                ends.client().send(id, Filling.CODEC, new Filling(id, 40_000));
            }
            sent.get();
            assertTrue(quick > 10, "only " + quick + " results beside the slow one");
            assertEquals(400_000, arrivals.whole().get(slow));
            assertEquals(quick + 1, arrivals.whole().size());
        }
    }
}
