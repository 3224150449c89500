// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Direction;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.FaultyProxy;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Plan;
import io.tailrace.core.testing.Plan.Ending;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever becomes of a connection, each end hears of it in time, and no result of it is neither whole nor lost. */
final class ConnectionLossTest {

    private static final int CHUNK = Ends.CHUNK;
    private static final Duration HEARTBEAT = Duration.ofMillis(300);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private FaultyProxy proxy;

    private Ends.Setup setup(Arrivals arrivals, IntFunction<Plan> plans) {
        return Ends.of(audit, Way.SOCKET, arrivals)
                .server(server -> server.heartbeat(HEARTBEAT).handshakeLimit(Duration.ofSeconds(1)))
                .client(client -> client.heartbeat(HEARTBEAT))
                .via(address -> {
                    proxy = FaultyProxy.to(address).plans(plans);
                    return proxy.address();
                });
    }

    @ParameterizedTest
    @EnumSource
    @SuppressWarnings("try") // the proxy is only closed
    void connectionCutAnywhereIsMadeAgain(Ending ending) throws Exception {
        SplittableRandom random = new SplittableRandom(audit.seed());
        int cuts = LeakAudit.FULL ? 200 : 8;
        Arrivals arrivals = new Arrivals();
        try (Ends ends = setup(
                                arrivals,
                                number -> number >= cuts
                                        ? Plan.transparent()
                                        : Plan.transparent()
                                                .cutAfter(
                                                        number % 4 == 3 ? Direction.DOWN : Direction.UP,
                                                        number % 4 == 3 ? random.nextInt(400) : random.nextInt(300_000),
                                                        ending))
                        .client(client -> client.heartbeat(HEARTBEAT).connectLimit(Duration.ofSeconds(10)))
                        .open();
                FaultyProxy between = proxy) {
            List<Future<Integer>> tasks = new ArrayList<>();
            for (int task = 0; task < 6; task++) {
                int number = task;
                tasks.add(audit.executor().submit(() -> delivered(ends, number, 60_000, 20 * cuts)));
            }
            int lost = 0;
            for (Future<Integer> task : tasks) {
                lost += task.get(50, TimeUnit.SECONDS);
            }
            int cases = lost;
            audit.cases(cases);
            assertTrue(cases <= 3 * 6 * cuts, () -> cases + " attempts were lost with " + cuts + " connections");
            Eventually.isTrue("none is open", () -> ends.server().openResults() == 0);
            arrivals.whole().values().forEach(bytes -> assertEquals(60_000, bytes));
            for (Throwable thrown : arrivals.thrown().values()) {
                assertTrue(assertInstanceOf(ResultException.class, thrown).retriable(), thrown::toString);
            }
        }
    }

    /** Attempt after attempt, until one is accepted; each of the others must be lost and retriable. */
    private static int delivered(Ends ends, int task, long bytes, int most) throws IOException {
        for (int attempt = 0; attempt < most; attempt++) {
            ResultId id = new ResultId("job", 1, task, attempt);
            try {
                ends.client().send(id, Filling.CODEC, new Filling(id, bytes));
                return attempt;
            } catch (UndeliveredResultException e) {
                assertEquals(Verdict.LOST, e.fate().verdict());
                assertTrue(e.retriable(), e::toString);
            }
        }
        throw new AssertionError("not one of " + most + " attempts was accepted");
    }

    @Test
    void silenceIsFoundByBothEndsWithinTwoHeartbeats() throws Exception {
        for (int round = 0; round < (LeakAudit.FULL ? 20 : 2); round++) {
            Arrivals arrivals = new Arrivals();
            int task = round;
            try (Ends ends = setup(arrivals, number -> Plan.transparent()).open();
                    FaultyProxy between = proxy) {
                ResultId id = new ResultId("job", 1, task, 0);
                ResultWriter writer = ends.client().open(id, Filling.CODEC.id());
                Filling.write(id, 0, 3L * CHUNK, writer.payload());
                Eventually.isTrue("begun", () -> arrivals.calls() == 1);
                Thread.sleep(HEARTBEAT.toMillis()); // so that one heartbeat has gone each way
                between.blackhole();
                long start = System.nanoTime();
                Eventually.isTrue("lost here", () -> !ends.client().isConnected());
                long client = System.nanoTime() - start;
                Eventually.isTrue("lost there", () -> arrivals.thrown().containsKey(id));
                long server = System.nanoTime() - start;
                audit.figure("blackhole found after " + client / 1_000_000 + " ms by the sender, " + server / 1_000_000
                        + " ms by the receiver; heartbeat " + HEARTBEAT.toMillis() + " ms");
                // The last sign of life was up to a heartbeat ago; a loaded machine is late.
                assertWithin(client);
                assertWithin(server);
                UndeliveredResultException told = assertThrows(
                        UndeliveredResultException.class,
                        () -> Filling.write(id, 3L * CHUNK, Long.MAX_VALUE, writer.payload()));
                assertEquals(Verdict.LOST, told.fate().verdict());
                writer.close();
                between.heal();
                ResultId later = new ResultId("job", 2, task, 0);
                ends.client().send(later, Filling.CODEC, new Filling(later, 100_000));
            }
        }
    }

    private static void assertWithin(long nanos) {
        long heartbeat = HEARTBEAT.toNanos();
        assertTrue(nanos >= heartbeat * 8 / 10, () -> nanos / 1_000_000 + " ms");
        assertTrue(
                nanos <= 2 * heartbeat * 12 / 10 + (LeakAudit.FULL ? 0 : 500_000_000L),
                () -> nanos / 1_000_000 + " ms");
    }

    @Test
    @SuppressWarnings("try")
    void slowAndSplitBytesAreOnlyLate() throws Exception {
        for (int round = 0; round < (LeakAudit.FULL ? 200 : 6); round++) {
            Arrivals arrivals = new Arrivals();
            long seed = audit.seed() + round;
            try (Ends ends = setup(arrivals, number -> Plan.randomPace(seed + number, 400_000, 4_000))
                            .server(server -> server.heartbeat(Duration.ofSeconds(10)))
                            .client(client -> client.heartbeat(Duration.ofSeconds(10)))
                            .open();
                    FaultyProxy between = proxy) {
                List<Future<?>> tasks = new ArrayList<>();
                for (int task = 0; task < 4; task++) {
                    ResultId id = new ResultId("job", round, task, 0);
                    tasks.add(audit.executor()
                            .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, 100_000))));
                }
                for (Future<?> task : tasks) {
                    task.get(30, TimeUnit.SECONDS);
                }
                assertEquals(4, arrivals.whole().size());
            }
        }
    }

    /** Flips, repeated and exchanged ranges, cuts, blackholes: each result is right, or has failed by name. */
    @Test
    void brokenBytesAreNeverAWrongResult() throws Exception {
        int rounds = LeakAudit.FULL ? 500 : 12;
        int failed = 0;
        for (int round = 0; round < rounds; round++) {
            Arrivals arrivals = new Arrivals();
            long seed = audit.seed() + 1_000L * round;
            try (Ends ends = setup(arrivals, number -> Plan.random(seed + number, 200_000, 2_000))
                            .client(client -> client.heartbeat(HEARTBEAT).connectLimit(Duration.ofSeconds(2)))
                            .open();
                    FaultyProxy between = proxy) {
                List<Future<?>> tasks = new ArrayList<>();
                for (int task = 0; task < 4; task++) {
                    ResultId id = new ResultId("job", 1, task, 0);
                    tasks.add(audit.executor()
                            .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, 50_000))));
                }
                for (int task = 0; task < 4; task++) {
                    try {
                        tasks.get(task).get(20, TimeUnit.SECONDS);
                        assertEquals(50_000, arrivals.whole().get(new ResultId("job", 1, task, 0)), between::toString);
                    } catch (ExecutionException e) {
                        assertInstanceOf(ResultException.class, e.getCause(), between::toString);
                        failed++;
                    }
                }
                for (Throwable thrown : arrivals.thrown().values()) {
                    assertInstanceOf(ResultException.class, thrown, between::toString);
                }
            }
        }
        audit.figure(failed + " of " + 4 * rounds + " results failed");
    }

    /** The flip lies in the bodies of one long result: that fails, and the ones beside it do not. */
    @Test
    void poisonedBodyFailsItsResultAlone() throws Exception {
        SplittableRandom random = new SplittableRandom(audit.seed());
        int failedAlone = 0;
        int rounds = LeakAudit.FULL ? 300 : 10;
        for (int round = 0; round < rounds; round++) {
            CountDownLatch opened = new CountDownLatch(1);
            Arrivals arrivals = new Arrivals(result -> opened.await());
            int at = 300 + random.nextInt(40_000);
            int bit = random.nextInt(8);
            try (Ends ends = setup(
                                    arrivals,
                                    number -> number == 0
                                            ? Plan.transparent().flip(Direction.UP, at, bit)
                                            : Plan.transparent())
                            .open();
                    FaultyProxy between = proxy;
                    ResultWriter beside = ends.client().open(new ResultId("job", 1, 2, 0), Filling.CODEC.id())) {
                opened.countDown();
                ResultId poisoned = new ResultId("job", 1, 1, 0);
                UndeliveredResultException told = assertThrows(
                        UndeliveredResultException.class,
                        () -> ends.client().send(poisoned, Filling.CODEC, new Filling(poisoned, 60_000)));
                boolean alone = told.fate().verdict() == Verdict.REFUSED;
                failedAlone += alone ? 1 : 0;
                if (alone) {
                    Filling.write(beside.id(), 0, 100_000, beside.payload());
                    beside.finish();
                    assertEquals(100_000, arrivals.whole().get(beside.id()));
                    assertEquals(1, between.connections().size());
                } else {
                    assertEquals(Verdict.LOST, told.fate().verdict());
                    ResultId again = new ResultId("job", 1, 1, 1);
                    ends.client().send(again, Filling.CODEC, new Filling(again, 60_000));
                }
            }
        }
        assertTrue(failedAlone > rounds / 2, failedAlone + " of " + rounds);
        audit.figure(failedAlone + " of " + rounds + " flips failed one result, the others the connection");
    }

    @ParameterizedTest
    @EnumSource
    void endsMayBeClosedAgain(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            ResultId id = new ResultId("job", 1, 1, 0);
            ends.client().send(id, Filling.CODEC, new Filling(id, 1_000));
            ends.client().close();
            ends.client().close();
            ends.server().close();
            ends.server().close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closedClientOpensNothingAtOnce(boolean connected) throws Exception {
        try (Ends ends = Ends.of(audit, Way.SOCKET, new Arrivals()).open()) {
            ResultId id = new ResultId("job", 1, 1, 0);
            if (connected) {
                ends.client().send(id, Filling.CODEC, new Filling(id, 1_000));
            }
            ends.client().close();
            long start = System.nanoTime();
            UndeliveredResultException told = assertThrows(
                    UndeliveredResultException.class, () -> ends.client().open(id, Filling.CODEC.id()));
            assertEquals(Verdict.LOST, told.fate().verdict());
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(5), told::toString);
        }
    }
}
