// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static io.tailrace.core.transport.SpillFolder.AMPLE;
import static io.tailrace.core.transport.SpillFolder.HEARTBEAT;
import static io.tailrace.core.transport.SpillFolder.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The rest of a result whose receiver stands still goes to disk: its encoder is free, and every byte comes in the end. */
final class SpillingTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final Duration SOON = Duration.ofMillis(30);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @RegisterExtension
    final SpillFolder folder = new SpillFolder();

    private final CountDownLatch release = new CountDownLatch(1);
    private final Arrivals arrivals = new Arrivals(result -> release.await());

    private Ends.Setup setup(Way way, long diskBytes) {
        return Ends.of(audit, way, arrivals)
                .server(server -> server.window(4))
                .client(client -> client.heartbeat(HEARTBEAT).spill(folder.path(), diskBytes, SOON, audit.executor()));
    }

    private Future<?> send(Ends ends, int task, long bytes) {
        return audit.executor()
                .submit(() -> ends.client().send(task(task), Filling.CODEC, new Filling(task(task), bytes)));
    }

    @ParameterizedTest
    @EnumSource
    void encodersEndWhileTheReceiverStandsStill(Way way) throws Exception {
        try (Ends ends = setup(way, AMPLE).open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 8; task++) {
                tasks.add(send(ends, task, 500_000 + 1_001L * task));
            }
            for (Future<?> task : tasks) {
                task.get(20, TimeUnit.SECONDS);
            }
            assertEquals(0, arrivals.whole().size());
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            assertTrue(
                    ends.client().spilledBytes() > 8 * 400_000,
                    () -> ends.client().spilledBytes() + " on disk");
            release.countDown();
            Eventually.isTrue("all came", () -> arrivals.whole().size() == 8);
            arrivals.whole().forEach((id, bytes) -> assertEquals(500_000 + 1_001L * id.task(), bytes));
            Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            ResultId later = task(100);
            ends.client().send(later, Filling.CODEC, new Filling(later, 100_000));
        }
    }

    /** One that had been written whole when its credit ran out waits for its answer; on disk it need not. */
    @Test
    void finishThatWaitsEndsWhenTheRestHasGoneToDisk() throws Exception {
        Arrivals both = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, Way.SOCKET, both)
                .server(server -> server.window(2).sharedChunks(2))
                .encoder(encoder -> encoder.window(16))
                .client(client -> client.heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()))
                .open()) {
            Future<?> sent = send(ends, 0, 14L * CHUNK);
            sent.get(10, TimeUnit.SECONDS);
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            assertTrue(ends.client().spilledBytes() > 0);
            release.countDown();
            Eventually.isTrue("all came", () -> both.whole().size() == 1);
        } finally {
            release.countDown();
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
                .server(server -> server.compression(new PackBits()))
                .encoder(encoder -> encoder.compression(compresses ? new PackBits() : null))
                .client(client -> client.heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()))
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 6; task++) {
                ResultId id = task(task);
                tasks.add(audit.executor().submit(() -> parts.send(ends.client(), id)));
            }
            for (Future<?> task : tasks) {
                task.get(20, TimeUnit.SECONDS);
            }
            assertTrue(ends.client().peakSpilledBytes() > 0);
            release.countDown();
            Eventually.isTrue("all came", () -> parts.whole() == 6);
        }
    }

    @ParameterizedTest
    @EnumSource
    void resultWaitsInMemoryWhereTheDisksBudgetIsSpent(Way way) throws Exception {
        for (long disk : new long[] {0, CHUNK, 10L * CHUNK + 17, 100_000}) {
            Arrivals each = new Arrivals(result -> {
                while (release.getCount() > 0) {
                    release.await();
                }
                Thread.sleep(100);
            });
            release.countDown();
            try (Ends ends = Ends.of(audit, way, each)
                    .server(server -> server.window(2))
                    .client(client -> client.heartbeat(HEARTBEAT).spill(folder.path(), disk, SOON, audit.executor()))
                    .open()) {
                List<Future<?>> tasks = new ArrayList<>();
                for (int task = 0; task < 4; task++) {
                    tasks.add(send(ends, task, 300_000));
                }
                for (Future<?> task : tasks) {
                    task.get(20, TimeUnit.SECONDS);
                }
                Eventually.isTrue("all came", () -> each.whole().size() == 4);
                assertTrue(ends.client().peakSpilledBytes() <= disk);
                assertTrue(ends.sending().peakLiveBytes() <= 4 * 4 * CHUNK);
            }
            folder.assertEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsLeftOnDiskOfAResultThatIsOver(Way way) throws Exception {
        try (Ends ends = setup(way, AMPLE).open()) {
            ResultWriter cancelled = spilling(ends, 0);
            ResultWriter failed = spilling(ends, 1);
            ResultWriter superseded = spilling(ends, 2);
            ResultWriter closed = spilling(ends, 3);
            cancelled.cancel();
            assertThrows(IOException.class, () -> Filling.write(task(0), 0, CHUNK * 3L, cancelled.payload()));
            cancelled.close();
            failed.fail(new IllegalStateException());
            closed.close();
            ResultId newer = new ResultId("job", 1, 2, 1);
            Future<?> after =
                    audit.executor().submit(() -> ends.client().send(newer, Filling.CODEC, new Filling(newer, 10)));
            UndeliveredResultException told = assertThrows(UndeliveredResultException.class, () -> {
                for (int i = 0; i < 10_000; i++) {
                    Filling.write(task(2), 0, 100, superseded.payload());
                    Thread.sleep(1);
                }
            });
            assertEquals(Verdict.SUPERSEDED, told.fate().verdict());
            superseded.close();
            // The newer one's end frame may want credit that its neighbours' chunks stand for, and wait there.
            Eventually.isTrue("the disk is free", () -> ends.client().spilledBytes() < 200);
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            release.countDown();
            after.get(20, TimeUnit.SECONDS);
            Eventually.isTrue("all ended", () -> ends.server().openResults() == 0);
            Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            assertInstanceOf(ResultFailedException.class, arrivals.thrown().get(task(0)));
            assertInstanceOf(ResultFailedException.class, arrivals.thrown().get(task(1)));
            assertInstanceOf(ResultFailedException.class, arrivals.thrown().get(task(3)));
        } finally {
            release.countDown();
        }
    }

    /** One whose rest has begun to go to disk. */
    private static ResultWriter spilling(Ends ends, int task) throws Exception {
        long before = ends.client().spilledBytes();
        ResultWriter writer = ends.client().open(task(task), Filling.CODEC.id());
        Filling.write(task(task), 0, 40L * CHUNK, writer.payload());
        Eventually.isTrue("on disk", () -> ends.client().spilledBytes() > before);
        return writer;
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,true", "SOCKET,false", "LOCAL,true", "LOCAL,false"})
    void nothingIsLeftOnDiskOfALostConnection(Way way, boolean byClient) throws Exception {
        try (Ends ends = setup(way, AMPLE).open()) {
            try {
                List<ResultWriter> writers = List.of(spilling(ends, 0), spilling(ends, 1));
                if (byClient) {
                    ends.client().close();
                } else {
                    ends.server().close();
                }
                for (ResultWriter writer : writers) {
                    UndeliveredResultException told = assertThrows(UndeliveredResultException.class, () -> {
                        Filling.write(writer.id(), 0, 10L * CHUNK, writer.payload());
                        writer.finish();
                    });
                    assertEquals(Verdict.LOST, told.fate().verdict());
                    assertTrue(told.retriable());
                    writer.close();
                }
                Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            } finally {
                release.countDown();
            }
        }
    }

    @Test
    void folderThatCannotBeWrittenLosesTheResultRetriably() throws Exception {
        audit.expectWarnings();
        try (Ends ends = setup(Way.SOCKET, AMPLE).open()) {
            folder.remove();
            Future<?> sent = send(ends, 0, 500_000);
            ExecutionException failed = assertThrows(ExecutionException.class, () -> sent.get(20, TimeUnit.SECONDS));
            UndeliveredResultException told = assertInstanceOf(UndeliveredResultException.class, failed.getCause());
            assertEquals(Verdict.LOST, told.fate().verdict());
            assertTrue(told.retriable());
            assertTrue(told.fate().reason().contains("spilled"), told::toString);
            release.countDown();
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(task(0)));
            ends.client().send(task(1), Filling.CODEC, new Filling(task(1), 100_000));
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void resultThatWantsCreditForTooLongIsLostRetriably(Way way) throws Exception {
        try (Ends ends = Ends.of(audit, way, arrivals)
                .server(server -> server.window(4))
                .client(client -> client.heartbeat(HEARTBEAT).creditPatience(Duration.ofMillis(100)))
                .open()) {
            long start = System.nanoTime();
            UndeliveredResultException told = assertThrows(
                    UndeliveredResultException.class,
                    () -> Filling.write(
                            task(0),
                            0,
                            Long.MAX_VALUE,
                            ends.client().open(task(0), Filling.CODEC.id()).payload()));
            assertTrue(System.nanoTime() - start > 90_000_000);
            assertEquals(Verdict.LOST, told.fate().verdict());
            assertTrue(told.retriable());
            release.countDown();
            Eventually.isTrue("told here", () -> arrivals.thrown().containsKey(task(0)));
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            ends.client().send(task(1), Filling.CODEC, new Filling(task(1), 200_000));
        } finally {
            release.countDown();
        }
    }

    /** A result may fail while its rest is being moved; its receiver hears of that all the same. */
    @Test
    void failureInTheMiddleOfTheMoveIsTold() throws Exception {
        int chunk = 1 << 20;
        ExecutorService single = Executors.newSingleThreadExecutor();
        Arrivals each = new Arrivals(result -> release.await());
        try (Ends ends = Ends.of(audit, Way.SOCKET, each)
                .receiving(chunk, 40)
                .sending(chunk, 16)
                .server(server -> server.window(2).sharedChunks(2))
                .encoder(encoder -> encoder.window(12))
                .client(client -> client.heartbeat(Duration.ofMillis(80))
                        .spill(folder.path(), 256 << 20, Duration.ofMillis(1), single))
                .open()) {
            int rounds = LeakAudit.FULL ? 200 : 6;
            for (int round = 0; round < rounds; round++) {
                ResultId id = task(round);
                try (ResultWriter writer = ends.client().open(id, Filling.CODEC.id())) {
                    Filling.write(id, 0, 11L * chunk, writer.payload());
                    Eventually.isTrue("moving", () -> ends.client().spilledBytes() > 0);
                    writer.fail(new IllegalStateException("of the test"));
                }
                Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            }
            release.countDown();
            Eventually.isTrue("all ended", () -> ends.server().openResults() == 0);
            each.thrown().values().forEach(told -> assertInstanceOf(ResultFailedException.class, told));
            assertEquals(rounds, each.thrown().size());
        } finally {
            release.countDown();
            single.shutdown();
        }
    }
}
