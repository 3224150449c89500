// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.nio.NioIoHandler;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The time that a result stands still is told under what it waited for, and under nothing else. */
final class StallTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final long PAUSE_MILLIS = 1_000;
    private static final long MOST_ELSEWHERE = TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS / 2);
    private static final long LEAST_HERE = TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS * 8 / 10);
    private static final ResultId ID = new ResultId("job", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);
    private final Arrivals standing = new Arrivals(result -> {
        if (result.id().equals(ID)) {
            Filling.read(result.id(), CHUNK, result.payload());
            reached.countDown();
            release.await();
        }
    });

    /** It lasts as long as the pause under these causes, and is hardly anything under the others. */
    private static void assertStalled(TransportCounters counters, StallCause... here) {
        Set<StallCause> expected = EnumSet.noneOf(StallCause.class);
        expected.addAll(Set.of(here));
        for (StallCause cause : StallCause.values()) {
            long nanos = counters.stallNanos(cause);
            boolean right = expected.contains(cause) ? nanos >= LEAST_HERE : nanos <= MOST_ELSEWHERE;
            assertTrue(right, () -> cause + " in " + counters);
        }
    }

    private static TransportCounters ended(ResultServer server) throws InterruptedException {
        Eventually.isTrue("all results have ended", () -> server.counters().resultsOpen() == 0);
        return server.counters();
    }

    private Future<?> send(Ends ends, ResultId id, long bytes) {
        return audit.executor().submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, bytes)));
    }

    @ParameterizedTest
    @EnumSource
    void readerThatStandsStillIsAWaitForCreditAndTheWindow(Way way) throws Exception {
        try (Ends ends = Ends.of(audit, way, standing).open()) {
            Future<?> sent = send(ends, ID, 400_000);
            assertTrue(reached.await(20, TimeUnit.SECONDS));
            Thread.sleep(PAUSE_MILLIS);
            release.countDown();
            sent.get(20, TimeUnit.SECONDS);
            assertStalled(ends.client().counters(), StallCause.CREDIT, StallCause.WINDOW);
            assertStalled(ended(ends.server()));
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void handlerThatPondersIsAWaitForTheAcknowledgement(Way way) throws Exception {
        ResultServer.Handler ponders = result -> {
            result.decodeWhole(Filling.CODEC);
            Thread.sleep(PAUSE_MILLIS);
        };
        try (Ends ends = Ends.of(audit, way, ponders).open()) {
            ends.client().send(ID, Filling.CODEC, new Filling(ID, 100_000));
            assertStalled(ends.client().counters(), StallCause.ACKNOWLEDGEMENT);
            assertStalled(ended(ends.server()));
        }
    }

    @Test
    void queueForTheOnlyDecoderIsAWaitForOne() throws Exception {
        try (Ends ends = Ends.of(audit, Way.SOCKET, standing)
                .server(server -> server.maxDecoders(1))
                .open()) {
            Future<?> first = send(ends, ID, 2L * CHUNK);
            assertTrue(reached.await(20, TimeUnit.SECONDS));
            ResultId queued = new ResultId("job", 1, 2, 0);
            Future<?> second = send(ends, queued, 100);
            Eventually.isTrue("both are there", () -> ends.server().openResults() == 2);
            Thread.sleep(PAUSE_MILLIS);
            release.countDown();
            first.get(20, TimeUnit.SECONDS);
            second.get(20, TimeUnit.SECONDS);
            assertStalled(ended(ends.server()), StallCause.DECODER);
            assertStalled(ends.client().counters(), StallCause.ACKNOWLEDGEMENT);
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void encoderThatPausesIsAWaitForBytes(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals).open();
                ResultWriter writer = ends.client().open(ID, Filling.CODEC.id())) {
            Filling.write(ID, 0, 4L * CHUNK, writer.payload());
            Eventually.isTrue("begun", () -> arrivals.begun().contains(ID));
            Thread.sleep(PAUSE_MILLIS);
            Filling.write(ID, 4L * CHUNK, 100_000, writer.payload());
            writer.finish();
            assertStalled(ended(ends.server()), StallCause.BYTES);
            assertStalled(ends.client().counters());
        }
    }

    @Test
    void poolThatOthersHoldIsAWaitForIt() throws Exception {
        try (Ends ends =
                Ends.of(audit, Way.SOCKET, new Arrivals()).sending(CHUNK, 4).open()) {
            ChunkWindow others = ends.sending().open("others", 4, 4);
            Future<?> wants = send(ends, ID, 10_000);
            Thread.sleep(PAUSE_MILLIS);
            others.close();
            wants.get(20, TimeUnit.SECONDS);
            assertStalled(ends.client().counters(), StallCause.POOL);
            assertStalled(ended(ends.server()));
        }
    }

    @Test
    void serverThatIsNotThereYetIsAWaitForAdmission() throws Exception {
        LocalAddress address = new LocalAddress(StallTest.class);
        ChunkPool pool = audit.pool(CHUNK, 64L * CHUNK);
        try (ResultClient client =
                ResultClient.builder(ResultEncoder.builder(pool).build()).connect(address)) {
            Future<?> sent = audit.executor().submit(() -> client.send(ID, Filling.CODEC, new Filling(ID, 10_000)));
            Thread.sleep(PAUSE_MILLIS);
            ResultServer server = ResultServer.builder(audit.pool(CHUNK, 64L * CHUNK))
                    .address(address)
                    .decodingOn(audit.executor())
                    .handler(new Arrivals())
                    .start();
            sent.get(20, TimeUnit.SECONDS);
            assertStalled(client.counters(), StallCause.ADMISSION);
            server.close();
        }
    }

    @Test
    void socketThatTakesNoMoreIsAWaitForTheLinkAndTheWindow() throws Exception {
        int chunk = 64 << 10;
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try (Ends ends = Ends.of(audit, Way.SOCKET, new Arrivals())
                        .receiving(chunk, 512)
                        .sending(chunk, 64)
                        .encoder(encoder -> encoder.window(16))
                        .server(server -> server.loops(loops).window(320))
                        .open();
                ResultWriter writer = ends.client().open(ID, Filling.CODEC.id())) {
            Filling.write(ID, 0, 1 << 20, writer.payload());
            Eventually.isTrue("there is credit for all that follows", () -> {
                ConnectionCounters now = ends.client().connectionCounters().get(0);
                return now.ownCreditBytes() > 300L * chunk && now.backlogBytes() == 0;
            });
            loops.next().execute(() -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS)));
            Filling.write(ID, 1 << 20, 19 << 20, writer.payload());
            writer.finish();
            assertStalled(ends.client().counters(), StallCause.LINK, StallCause.WINDOW);
        } finally {
            loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatGoesToDiskIsCountedInBytesAndInTime(Way way) throws Exception {
        try (Ends ends = Ends.of(audit, way, standing)
                .client(client -> client.heartbeat(Duration.ofMillis(400))
                        .spill(temporary.resolve("spill"), 64 << 20, Duration.ofMillis(30), audit.executor()))
                .open()) {
            ResultId other = new ResultId("job", 1, 2, 0);
            ends.client().send(other, Filling.CODEC, new Filling(other, 100_000));
            assertEquals(0, ends.client().counters().spilledBytes());
            assertEquals(0, ends.client().counters().stallNanos(StallCause.DISK));
            Future<?> sent = send(ends, ID, 400_000);
            sent.get(20, TimeUnit.SECONDS); // it is on disk
            long onDisk = ends.client().spilledBytes();
            assertTrue(onDisk > 300_000, () -> onDisk + " on disk");
            ConnectionCounters now = ends.client().connectionCounters().get(0);
            assertEquals(onDisk, now.diskBytes());
            assertEquals(onDisk, now.spilledBytes());
            release.countDown();
            Eventually.isTrue("all came", () -> ends.client().counters().resultsAccepted() == 2);
            Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            TransportCounters counters = ends.client().counters();
            assertEquals(onDisk, counters.spilledBytes());
            assertEquals(1, counters.resultsSpilled());
            assertTrue(counters.stallNanos(StallCause.DISK) > 0, counters::toString);
            assertEquals(onDisk, ends.client().connectionCounters().get(0).spilledBytes());
            assertEquals(0, ends.client().connectionCounters().get(0).diskBytes());
        } finally {
            release.countDown();
        }
    }
}
