// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static io.tailrace.core.transport.SpillFolder.AMPLE;
import static io.tailrace.core.transport.SpillFolder.HEARTBEAT;
import static io.tailrace.core.transport.SpillFolder.task;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a receiver has on disk of a result goes with it, however it ends, and what the disk does to it is found out. */
final class ArrivalSpillEndTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final Duration SOON = Duration.ofMillis(20);
    private static final long BYTES = 300_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @RegisterExtension
    final SpillFolder folder = new SpillFolder();

    @TempDir
    Path temporary;

    private final CountDownLatch release = new CountDownLatch(1);
    private final Map<ResultId, ArrivingResult> standing = new ConcurrentHashMap<>();
    private final Arrivals arrivals = new Arrivals(result -> {
        standing.put(result.id(), result);
        release.await();
    });

    private Ends.Setup setup(Way way, ResultServer.Handler handler) {
        return Ends.of(audit, way, handler)
                .server(server ->
                        server.window(4).heartbeat(HEARTBEAT).spill(folder.path(), AMPLE, SOON, audit.executor()));
    }

    private static CompletableFuture<ResultFate> encode(Ends ends, int number) throws IOException {
        return ends.client().submit(task(number), Filling.CODEC, new Filling(task(number), BYTES));
    }

    /** One of which the beginning lies on the receiver's disk, and the end has not come. */
    private static ResultWriter begun(Ends ends, int number) throws Exception {
        long before = ends.server().spilledBytes();
        ResultWriter writer = ends.client().open(task(number), Filling.CODEC.id());
        Filling.write(task(number), 0, BYTES, writer.payload());
        Eventually.isTrue("on disk", () -> ends.server().spilledBytes() > before + BYTES - 8 * CHUNK);
        return writer;
    }

    /** All of it is there, its end included: no reader has begun. */
    private static void awaitWhole(Ends ends, int results) throws Exception {
        Eventually.isTrue("on disk", () -> ends.server().spilledBytes() > results * BYTES);
        long seen = -1;
        for (long now = ends.server().spilledBytes();
                now != seen;
                now = ends.server().spilledBytes()) {
            seen = now;
            Thread.sleep(200);
        }
    }

    private static void assertNothingOnDisk(Ends ends) throws Exception {
        Eventually.settlesAt("the disk", 0, () -> ends.server().spilledBytes());
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,true", "SOCKET,false", "LOCAL,true", "LOCAL,false"})
    void resultThatHasNotComeWholeIsLostWithItsConnection(Way way, boolean byClient) throws Exception {
        try (Ends ends = setup(way, arrivals).open()) {
            ResultWriter first = begun(ends, 0);
            ResultWriter second = begun(ends, 1);
            if (byClient) {
                ends.client().close();
            } else {
                ends.server().close();
            }
            assertNothingOnDisk(ends);
            release.countDown();
            Eventually.isTrue("told", () -> arrivals.thrown().size() == 2);
            for (Throwable told : arrivals.thrown().values()) {
                assertTrue(
                        assertInstanceOf(TruncatedResultException.class, told).retriable());
            }
            first.close();
            second.close();
            Eventually.settlesAt("live bytes", 0, () -> ends.receiving().liveBytes());
        } finally {
            release.countDown();
        }
    }

    /** As one that has come whole and lies in memory is. */
    @ParameterizedTest
    @EnumSource
    void resultThatHasComeWholeOutlivesItsConnection(Way way) throws Exception {
        try (Ends ends = setup(way, arrivals).open()) {
            CompletableFuture<ResultFate> told = encode(ends, 0);
            awaitWhole(ends, 1);
            ends.client().close();
            assertEquals(Verdict.LOST, told.get(20, TimeUnit.SECONDS).verdict());
            Eventually.isTrue("lost", () -> ends.server().connections() == 0);
            release.countDown();
            Eventually.isTrue("read", () -> arrivals.whole().size() == 1);
            assertEquals(BYTES, arrivals.whole().get(task(0)));
            assertNothingOnDisk(ends);
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void closedServerKeepsNothingOnDisk(Way way) throws Exception {
        try (Ends ends = setup(way, arrivals).open()) {
            CompletableFuture<ResultFate> told = encode(ends, 0);
            awaitWhole(ends, 1);
            ends.server().close();
            assertEquals(0, ends.server().spilledBytes());
            folder.assertEmpty();
            assertEquals(Verdict.LOST, told.get(20, TimeUnit.SECONDS).verdict());
            release.countDown();
            Eventually.isTrue("told", () -> arrivals.thrown().size() == 1);
            Throwable thrown = arrivals.thrown().get(task(0));
            assertTrue(String.valueOf(thrown).contains("cannot be read back"), () -> String.valueOf(thrown));
            Eventually.settlesAt("live bytes", 0, () -> ends.receiving().liveBytes());
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsLeftOfAResultThatIsOver(Way way) throws Exception {
        try (Ends ends = setup(way, arrivals).open()) {
            CompletableFuture<ResultFate> neighbour = encode(ends, 9);
            awaitWhole(ends, 1);
            ResultWriter cancelled = begun(ends, 0);
            ResultWriter superseded = begun(ends, 1);
            ResultWriter failed = begun(ends, 2);
            standing.get(task(0)).cancel("of the test");
            CompletableFuture<ResultFate> newer =
                    ends.client().submit(new ResultId("job", 1, 1, 1), Filling.CODEC, new Filling(task(1), 100));
            failed.fail(new IllegalStateException("of the test"));
            // What the failed one sent is still to be read, and what is whole.
            Eventually.isTrue("two are gone", () -> ends.server().spilledBytes() <= 2 * BYTES + 8 * CHUNK);
            release.countDown();
            assertEquals(Verdict.ACCEPTED, neighbour.get(20, TimeUnit.SECONDS).verdict());
            assertEquals(Verdict.ACCEPTED, newer.get(20, TimeUnit.SECONDS).verdict());
            Eventually.isTrue("told", () -> arrivals.thrown().size() == 3);
            assertInstanceOf(ResultCancelledException.class, arrivals.thrown().get(task(0)));
            assertInstanceOf(UndeliveredResultException.class, arrivals.thrown().get(task(1)));
            assertInstanceOf(ResultFailedException.class, arrivals.thrown().get(task(2)));
            assertNothingOnDisk(ends);
            cancelled.close();
            superseded.close();
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsLeftOfAResultWhoseHandlerThrows(Way way) throws Exception {
        ResultServer.Handler throwing = result -> {
            Filling.read(result.id(), result.id().task() * 1_000L, result.payload());
            release.await();
            Filling.read(result.id(), result.id().task() * 20_000L, result.payload());
            throw new IllegalStateException("of the test");
        };
        try (Ends ends = setup(way, throwing).open()) {
            List<CompletableFuture<ResultFate>> told = List.of(encode(ends, 0), encode(ends, 1), encode(ends, 10));
            Eventually.isTrue("on disk", () -> ends.server().spilledBytes() > 3 * BYTES - 8 * CHUNK);
            release.countDown();
            for (CompletableFuture<ResultFate> each : told) {
                assertEquals(Verdict.REFUSED, each.get(20, TimeUnit.SECONDS).verdict());
            }
            assertNothingOnDisk(ends);
        } finally {
            release.countDown();
        }
    }

    @Test
    void byteThatTheDiskChangesFailsItsResultAlone() throws Exception {
        assumeTrue(SpillFolder.tellsOpenFiles(), "open files without a name are found there");
        Random random = audit.random();
        try (Ends ends = setup(Way.SOCKET, arrivals).open()) {
            int rounds = LeakAudit.FULL ? 60 : 6;
            int[] places = {0, 9, 31, 32, 5_000};
            CompletableFuture<?>[] fates = new CompletableFuture<?>[rounds];
            for (int round = 0; round < rounds; round++) {
                fates[round] = encode(ends, round);
                awaitWhole(ends, round + 1);
            }
            List<Path> files = folder.openFiles();
            assertEquals(rounds, files.size());
            for (int i = 0; i < rounds - 1; i++) { // of one of them nothing is changed
                try (RandomAccessFile file = new RandomAccessFile(files.get(i).toFile(), "rw")) {
                    long at = i < places.length ? places[i] : random.nextInt((int) file.length());
                    file.seek(at);
                    int was = file.read();
                    file.seek(at);
                    file.write(was ^ (1 << random.nextInt(8)));
                }
            }
            release.countDown();
            int accepted = 0;
            for (CompletableFuture<?> fate : fates) {
                ResultFate known = (ResultFate) fate.get(20, TimeUnit.SECONDS);
                accepted += known.verdict() == Verdict.ACCEPTED ? 1 : 0;
            }
            assertEquals(1, accepted);
            assertEquals(1, arrivals.whole().size());
            arrivals.thrown().values().forEach(thrown -> assertInstanceOf(MalformedDataException.class, thrown));
            assertEquals(rounds - 1, arrivals.thrown().size());
            ends.client().send(task(100), Filling.CODEC, new Filling(task(100), BYTES));
            assertNothingOnDisk(ends);
        } finally {
            release.countDown();
        }
    }

    @Test
    void fileThatIsCutFailsItsResultAloneAndRetriably() throws Exception {
        assumeTrue(SpillFolder.tellsOpenFiles(), "open files without a name are found there");
        try (Ends ends = setup(Way.SOCKET, arrivals).open()) {
            CompletableFuture<ResultFate> cut = encode(ends, 0);
            awaitWhole(ends, 1);
            try (RandomAccessFile file =
                    new RandomAccessFile(folder.openFiles().get(0).toFile(), "rw")) {
                file.setLength(100_000);
            }
            CompletableFuture<ResultFate> neighbour = encode(ends, 1);
            awaitWhole(ends, 2);
            release.countDown();
            ResultFate told = cut.get(20, TimeUnit.SECONDS);
            assertEquals(Verdict.REFUSED, told.verdict());
            assertTrue(told.retriable());
            assertTrue(told.reason().contains("cannot be read back"), told::toString);
            assertEquals(Verdict.ACCEPTED, neighbour.get(20, TimeUnit.SECONDS).verdict());
            assertNothingOnDisk(ends);
        } finally {
            release.countDown();
        }
    }

    /** What the disk has taken is read from there, and the frame that it refused from memory. */
    @Test
    void diskThatRefusesInTheMiddleLosesNothing() throws Exception {
        try (ChildJvm child = ChildJvm.of(RefusingDiskChild.class, temporary)
                .after("ulimit -f 128")
                .start(temporary.resolve("other").toString())) {
            List<String> lines = child.lines(Duration.ofSeconds(60));
            long spilled = ChildJvm.number(lines, "spilled");
            assertTrue(spilled > 3 * 50_000 && spilled < 3 * 140_000, lines.toString());
            assertEquals(3 * 300_000, ChildJvm.number(lines, "whole"), lines.toString());
            assertEquals(0, ChildJvm.number(lines, "left"), lines.toString());
            assertTrue(lines.stream().anyMatch(line -> line.contains("cannot be spilled")), lines.toString());
        }
    }

    /** Results end at any moment of their way over the disk, in any manner. */
    @ParameterizedTest
    @EnumSource
    void resultsThatEndAtAnyMomentLeaveNothing(Way way) throws Exception {
        Random random = audit.random();
        int rounds = LeakAudit.FULL ? 2_000 : 60;
        ResultServer.Handler any = result -> {
            long manner = result.id().task() % 5;
            Filling.read(result.id(), result.id().task() * 997L % 50_000, result.payload());
            standing.put(result.id(), result);
            Thread.sleep(result.id().task() * 7L % 120);
            Filling.read(result.id(), result.id().task() * 1_999L % BYTES, result.payload());
            if (manner == 0) {
                throw new IOException("of the test");
            }
        };
        try (Ends ends = setup(way, any)
                .receiving(CHUNK, 64)
                .server(server -> server.window(4)
                        .maxDecoders(4)
                        .heartbeat(Duration.ofMillis(160))
                        .spill(folder.path(), AMPLE, Duration.ofMillis(3), audit.executor()))
                .open()) {
            Future<?>[] tasks = new Future<?>[rounds];
            // One in five has two results open at a time: if all could, they might wait for each other's chunks.
            Semaphore atATime = new Semaphore(60);
            for (int round = 0; round < rounds; round++) {
                ResultId id = task(round);
                int ending = random.nextInt(5);
                int pause = random.nextInt(40);
                atATime.acquire();
                tasks[round] = audit.executor().submit(() -> {
                    try {
                        return endSomehow(ends, id, ending, pause);
                    } finally {
                        atATime.release();
                    }
                });
                Thread.sleep(random.nextInt(12));
            }
            for (Future<?> task : tasks) {
                task.get(60, TimeUnit.SECONDS);
            }
            Eventually.isTrue("all ended", () -> ends.server().openResults() == 0);
            assertNothingOnDisk(ends);
            assertTrue(ends.server().counters().resultsSpilled() > rounds / 20);
            assertTrue(ends.receiving().peakLiveBytes() <= 64L * CHUNK);
        }
        audit.cases(rounds);
    }

    private Void endSomehow(Ends ends, ResultId id, int ending, int pause) throws Exception {
        try (ResultWriter writer = ends.client().open(id, Filling.CODEC.id())) {
            Filling.write(id, 0, BYTES - 37 * id.task(), writer.payload());
            Thread.sleep(pause);
            ArrivingResult there = standing.get(id);
            switch (ending) {
                case 0 -> writer.fail(new IllegalStateException("of the test"));
                case 1 -> {
                    ResultId newer = new ResultId("job", 1, id.task(), 1);
                    ends.client().send(newer, Filling.CODEC, new Filling(id, 9));
                }
                case 2 -> {
                    if (there != null) {
                        there.cancel("of the test");
                    }
                }
                default -> writer.finish();
            }
        } catch (IOException e) {
            // its receiver did not want it
        }
        return null;
    }
}
