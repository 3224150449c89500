// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static io.tailrace.core.transport.SpillFolder.AMPLE;
import static io.tailrace.core.transport.SpillFolder.HEARTBEAT;
import static io.tailrace.core.transport.SpillFolder.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What comes for a reader that stands still goes to the receiver's disk: the sender is through with it, the receiver's memory
 * is free, and the reader finds all of it in the end.
 */
final class ArrivalSpillTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final int BUDGET = 64;
    private static final Duration SOON = Duration.ofMillis(10);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @RegisterExtension
    final SpillFolder folder = new SpillFolder();

    private final CountDownLatch release = new CountDownLatch(1);

    /** Each reader has begun when it stands still: it holds a chunk. */
    private final Arrivals arrivals = new Arrivals(result -> {
        Filling.read(result.id(), 50_000, result.payload());
        release.await();
    });

    private Ends.Setup setup(Way way, ResultServer.Handler handler, long diskBytes) {
        return Ends.of(audit, way, handler)
                .receiving(CHUNK, BUDGET)
                .server(server ->
                        server.window(2).heartbeat(HEARTBEAT).spill(folder.path(), diskBytes, SOON, audit.executor()));
    }

    /** Encodes so many results, side by side; done when all are encoded. */
    private List<CompletableFuture<ResultFate>> encode(Ends ends, int count, long bytes) throws Exception {
        List<CompletableFuture<ResultFate>> fates = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> tasks = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            ResultId id = task(number);
            tasks.add(audit.executor()
                    .submit(() -> fates.add(ends.client().submit(id, Filling.CODEC, new Filling(id, bytes)))));
        }
        for (Future<?> task : tasks) {
            task.get(20, TimeUnit.SECONDS);
        }
        return fates;
    }

    private static void assertAccepted(List<CompletableFuture<ResultFate>> fates) throws Exception {
        for (CompletableFuture<ResultFate> fate : fates) {
            assertEquals(Verdict.ACCEPTED, fate.get(20, TimeUnit.SECONDS).verdict());
        }
    }

    private void assertBounded(Ends ends) {
        assertTrue(
                ends.receiving().peakLiveBytes() <= (long) BUDGET * CHUNK,
                () -> "peak " + ends.receiving().peakLiveBytes());
    }

    @ParameterizedTest
    @EnumSource
    void sendersAreThroughWhileReadersStandStill(Way way) throws Exception {
        try (Ends ends = setup(way, arrivals, AMPLE).open()) {
            List<CompletableFuture<ResultFate>> fates = encode(ends, 8, 500_000);
            Eventually.settlesAt("sender's live bytes", 0, () -> ends.sending().liveBytes());
            Eventually.isTrue("all is there", () -> ends.server().spilledBytes() > 8 * 430_000);
            Eventually.isTrue(
                    "a connection tells it",
                    () -> ends.server().connectionCounters().get(0).diskBytes()
                            == ends.server().spilledBytes());
            assertTrue(fates.stream().noneMatch(CompletableFuture::isDone), "accepted before it was decoded");
            // What each reader has begun to read, and what stands for the credit of results to come.
            Eventually.isTrue("memory is free", () -> ends.receiving().liveBytes() <= (8 + 16L) * CHUNK);
            assertEquals(0, arrivals.whole().size());
            release.countDown();
            assertAccepted(fates);
            assertEquals(8, arrivals.whole().size());
            arrivals.whole().forEach((id, bytes) -> assertEquals(500_000, bytes));
            Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
            assertBounded(ends);
            assertEquals(8, ends.server().counters().resultsSpilled());
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void sendersAreThroughWhileTheirResultsWaitForADecodingThread(Way way) throws Exception {
        try (Ends ends = Ends.of(audit, way, arrivals)
                .receiving(CHUNK, BUDGET)
                .server(server ->
                        server.maxDecoders(1).heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()))
                .open()) {
            List<CompletableFuture<ResultFate>> fates = encode(ends, 12, 200_000);
            Eventually.settlesAt("sender's live bytes", 0, () -> ends.sending().liveBytes());
            Eventually.isTrue("all is there", () -> ends.server().spilledBytes() > 11 * 190_000 + 100_000);
            assertEquals(1, arrivals.calls());
            release.countDown();
            assertAccepted(fates);
            arrivals.whole().forEach((id, bytes) -> assertEquals(200_000, bytes));
            assertEquals(12, arrivals.whole().size());
            Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
            assertBounded(ends);
        } finally {
            release.countDown();
        }
    }

    /** However little the disk may hold: what it does not take waits with its sender. */
    @ParameterizedTest
    @CsvSource({"SOCKET,8", "SOCKET,1", "LOCAL,8", "LOCAL,1"})
    void resultsWaitInMemoryWhereTheDisksBudgetIsSpent(Way way, int decoders) throws Exception {
        for (long disk : new long[] {0, 10L * CHUNK + 17, 100_000}) {
            Arrivals slow = new Arrivals(result -> {
                Filling.read(result.id(), 10_000, result.payload());
                Thread.sleep(170);
                Filling.read(result.id(), 150_000, result.payload());
                Thread.sleep(60);
            });
            try (Ends ends = Ends.of(audit, way, slow)
                    .receiving(CHUNK, 24)
                    .server(server -> server.maxDecoders(decoders)
                            .heartbeat(HEARTBEAT)
                            .spill(folder.path(), disk, SOON, audit.executor()))
                    .open()) {
                List<CompletableFuture<ResultFate>> fates = encode(ends, 4, 300_000);
                assertAccepted(fates);
                slow.whole().forEach((id, bytes) -> assertEquals(300_000, bytes));
                assertTrue(ends.server().peakSpilledBytes() <= disk);
                assertTrue(disk == 0 || ends.server().peakSpilledBytes() > 0);
                assertTrue(ends.receiving().peakLiveBytes() <= 24L * CHUNK);
                Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
            }
        }
    }

    /** A reader that stands still now and then gets everything in order, from disk and from memory. */
    @ParameterizedTest
    @CsvSource({"SOCKET,64", "SOCKET,4", "LOCAL,64", "LOCAL,4"})
    void readerThatStopsAndGoesTakesTurnsBetweenDiskAndMemory(Way way, int budget) throws Exception {
        Arrivals stopping = new Arrivals(result -> {
            for (long at = 50_000; at < 1_000_000; at += 190_000) {
                Filling.read(result.id(), at, result.payload());
                Thread.sleep(130);
            }
        });
        try (Ends ends = Ends.of(audit, way, stopping)
                .receiving(CHUNK, budget)
                .server(server ->
                        server.window(2).heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()))
                .open()) {
            List<CompletableFuture<ResultFate>> fates = encode(ends, 4, 1_000_000);
            assertAccepted(fates);
            stopping.whole().forEach((id, bytes) -> assertEquals(1_000_000, bytes));
            assertTrue(ends.server().peakSpilledBytes() > 0);
            assertTrue(ends.receiving().peakLiveBytes() <= (long) budget * CHUNK);
        }
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,true", "SOCKET,false", "LOCAL,true", "LOCAL,false"})
    void everyKindOfFrameComesBackFromDisk(Way way, boolean compresses) throws Exception {
        Parts parts = new Parts(audit.seed());
        ResultServer.Handler handler = result -> {
            release.await();
            parts.receive(result);
        };
        try (Ends ends = Ends.of(audit, way, handler)
                .receiving(CHUNK, BUDGET)
                .server(server -> server.compression(new PackBits())
                        .heartbeat(HEARTBEAT)
                        .spill(folder.path(), AMPLE, SOON, audit.executor()))
                .encoder(encoder -> encoder.compression(compresses ? new PackBits() : null))
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 6; task++) {
                ResultId id = task(task);
                tasks.add(audit.executor().submit(() -> parts.send(ends.client(), id)));
            }
            Eventually.isTrue("all is there", () -> ends.server().spilledBytes() > 6 * 100_000);
            Eventually.settlesAt("sender's live bytes", 0, () -> ends.sending().liveBytes());
            release.countDown();
            for (Future<?> task : tasks) {
                task.get(20, TimeUnit.SECONDS);
            }
            assertEquals(6, parts.whole());
        } finally {
            release.countDown();
        }
    }

    /** Many at once, of many sizes, with few decoders and a budget that holds a small part of them. */
    @ParameterizedTest
    @EnumSource
    void manyResultsSpillTogether(Way way) throws Exception {
        int count = LeakAudit.FULL ? 400 : 60;
        long disk = 2L << 20;
        CountDownLatch spilled = new CountDownLatch(1);
        Arrivals slow = new Arrivals(result -> {
            Filling.read(result.id(), 100, result.payload());
            assertTrue(spilled.await(20, TimeUnit.SECONDS));
            Thread.sleep(40);
        });
        try (Ends ends = Ends.of(audit, way, slow)
                .receiving(CHUNK, 40)
                .sending(CHUNK, 4 * count)
                .server(server ->
                        server.maxDecoders(3).heartbeat(HEARTBEAT).spill(folder.path(), disk, SOON, audit.executor()))
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int number = 0; number < count; number++) {
                ResultId id = task(number);
                tasks.add(audit.executor()
                        .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, size(id)))));
            }
            Eventually.isTrue("much is on disk", () -> ends.server().spilledBytes() > 100_000);
            spilled.countDown();
            for (Future<?> task : tasks) {
                task.get(60, TimeUnit.SECONDS);
            }
            assertEquals(count, slow.whole().size());
            slow.whole().forEach((id, bytes) -> assertEquals(size(id), bytes));
            assertTrue(ends.receiving().peakLiveBytes() <= 40L * CHUNK);
            assertTrue(ends.server().peakSpilledBytes() <= disk);
            assertTrue(ends.server().peakSpilledBytes() > 100_000);
            Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
        }
    }

    private static long size(ResultId id) {
        return id.task() % 3 == 0 ? 100 : 7_919L * id.task();
    }

    /** The one thread that there is stands in a handler: what it is to move is taken from memory. */
    @ParameterizedTest
    @EnumSource
    void readerWaitsForNoTaskThatHasNotBegun(Way way) throws Exception {
        ExecutorService single = Executors.newSingleThreadExecutor();
        Arrivals slow = new Arrivals(result -> {
            Filling.read(result.id(), 10_000, result.payload());
            Thread.sleep(200);
        });
        try (Ends ends = Ends.of(audit, way, slow)
                .receiving(CHUNK, BUDGET)
                .server(server ->
                        server.decodingOn(single).heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, single))
                .open()) {
            assertAccepted(encode(ends, 3, 300_000));
            assertEquals(3, slow.whole().size());
        } finally {
            single.shutdown();
        }
    }

    /** A folder that is gone when it is wanted: nothing is lost, as nothing has left the memory. */
    @Test
    void resultsWaitInMemoryWhereTheDiskRefuses() throws Exception {
        audit.expectWarnings();
        try (Ends ends = setup(Way.SOCKET, arrivals, AMPLE).open()) {
            folder.remove();
            List<Future<?>> tasks = new ArrayList<>();
            for (int number = 0; number < 3; number++) {
                ResultId id = task(number);
                tasks.add(audit.executor()
                        .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, 300_000))));
            }
            Eventually.isTrue("refused", () -> audit.warnings().size() == 3);
            release.countDown();
            for (Future<?> task : tasks) {
                task.get(20, TimeUnit.SECONDS);
            }
            arrivals.whole().forEach((id, bytes) -> assertEquals(300_000, bytes));
            assertEquals(0, ends.server().spilledBytes());
        } finally {
            release.countDown();
        }
    }
}
