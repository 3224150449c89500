// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who waits for the receiver's answer is let go by a cancel, whatever of the result is out. */
final class CancelledFinishTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @RegisterExtension
    final SpillFolder folder = new SpillFolder();

    private final CountDownLatch release = new CountDownLatch(1);
    private final Arrivals arrivals = new Arrivals(result -> release.await());

    @AfterEach
    void letGo() {
        release.countDown();
    }

    /** Of 12 chunks the receiver gives credit for 2: the rest, and the end, wait here. */
    private Ends open(Way way) throws IOException {
        return Ends.of(audit, way, arrivals)
                .server(server -> server.window(2).sharedChunks(2))
                .encoder(encoder -> encoder.window(16))
                .open();
    }

    private Future<@Nullable IOException> finish(ResultWriter writer) {
        return audit.executor().submit(() -> {
            try (writer) {
                writer.finish();
                return null;
            } catch (IOException e) {
                return e;
            }
        });
    }

    private static ResultWriter written(Ends ends, ResultId id, long bytes) throws IOException {
        ResultWriter writer = ends.client().open(id, Filling.CODEC.id());
        Filling.write(id, 0, bytes, writer.payload());
        return writer;
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,10,true", "SOCKET,3000,true", "SOCKET,50000,false", "LOCAL,10,true", "LOCAL,50000,false"})
    void cancelEndsAFinishThatWaits(Way way, long bytes, boolean isOut) throws Exception {
        try (Ends ends = open(way)) {
            ResultId id = new ResultId("job", 1, 1, 0);
            ResultWriter writer = written(ends, id, bytes);
            Future<@Nullable IOException> finished = finish(writer);
            Eventually.isTrue("it is read", () -> arrivals.begun().contains(id));
            Thread.sleep(100); // what else is to go, goes
            long begin = System.nanoTime();
            writer.cancel();
            assertInstanceOf(ResultCancelledException.class, finished.get(10, TimeUnit.SECONDS));
            Duration taken = Duration.ofNanos(System.nanoTime() - begin);
            assertTrue(taken.toSeconds() < 5, taken::toString);
            assertEquals(FailurePhase.CANCELLED, writer.failure().phase());
            assertEquals(1, ends.client().counters().resultsCancelled());
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            release.countDown();
            if (isOut) {
                Eventually.isTrue("whole all the same", () -> arrivals.whole().containsKey(id));
            } else {
                Eventually.isTrue("told", () -> arrivals.thrown().containsKey(id));
                assertInstanceOf(ResultFailedException.class, arrivals.thrown().get(id));
            }
            ResultId next = new ResultId("job", 1, 2, 0);
            ends.client().send(next, Filling.CODEC, new Filling(next, 10_000));
        }
    }

    /** All of it is sent or on disk: that was the answer. */
    @Test
    void cancelBehindAFinishDoesNothing() throws Exception {
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                .server(server -> server.window(2).sharedChunks(2))
                .client(client -> client.heartbeat(SpillFolder.HEARTBEAT)
                        .spill(folder.path(), SpillFolder.AMPLE, Duration.ofMillis(20), audit.executor()))
                .open()) {
            ResultId id = new ResultId("job", 1, 1, 0);
            ResultWriter writer = written(ends, id, 50_000);
            assertNull(finish(writer).get(20, TimeUnit.SECONDS));
            writer.cancel();
            release.countDown();
            Eventually.isTrue("whole", () -> arrivals.whole().containsKey(id));
            Eventually.isTrue("accepted", () -> ends.client().openResults() == 0);
            assertEquals(1, ends.client().counters().resultsAccepted());
        }
    }

    @ParameterizedTest
    @CsvSource({"SOCKET,true", "SOCKET,false", "LOCAL,true", "LOCAL,false"})
    void cancelAtAnyMomentLetsGo(Way way, boolean answers) throws Exception {
        if (answers) {
            release.countDown();
        }
        Random random = audit.random();
        int rounds = LeakAudit.FULL ? 2_000 : 100;
        try (Ends ends = open(way)) {
            for (int round = 0; round < rounds; round++) {
                ResultId id = new ResultId("job", 1, round, 0);
                ResultWriter writer = written(ends, id, random.nextInt(3) * 2_000L);
                Future<@Nullable IOException> finished = finish(writer);
                TimeUnit.MICROSECONDS.sleep(random.nextInt(600));
                writer.cancel();
                IOException thrown = finished.get(10, TimeUnit.SECONDS);
                assertTrue(
                        thrown instanceof ResultCancelledException || (answers && thrown == null),
                        () -> thrown + " is thrown");
            }
            release.countDown();
            Eventually.isTrue("all ended", () -> ends.server().openResults() == 0);
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
        }
        audit.cases(rounds);
    }
}
