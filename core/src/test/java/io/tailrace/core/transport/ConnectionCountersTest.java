// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each connection's numbers are told at both of its ends, and agree when nothing is under way. */
final class ConnectionCountersTest {

    private static final ResultId STANDS = new ResultId("job", 1, 1, 0);
    private static final ResultId REFUSED = new ResultId("job", 1, 13, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch release = new CountDownLatch(1);

    private void stand(ArrivingResult result) throws Exception {
        if (result.id().equals(REFUSED)) {
            throw new IllegalArgumentException("no thirteen");
        }
        if (result.id().equals(STANDS)) {
            reached.countDown();
            release.await();
        }
    }

    private static ConnectionCounters only(List<ConnectionCounters> all) {
        assertEquals(1, all.size(), all::toString);
        return all.get(0);
    }

    private static void agree(Ends ends) throws InterruptedException {
        Eventually.isTrue("nothing is under way", () -> {
            ConnectionCounters sent = only(ends.client().connectionCounters());
            ConnectionCounters received = only(ends.server().connectionCounters());
            return sent.sentBytes() == received.receivedBytes()
                    && received.sentBytes() == sent.receivedBytes()
                    && sent.resultsOpen() == 0
                    && received.resultsOpen() == 0
                    && sent.ownCreditBytes() == 0
                    && received.ownCreditBytes() == 0
                    && sent.sharedCreditBytes() == received.sharedCreditBytes();
        });
    }

    @ParameterizedTest
    @EnumSource
    void bothEndsTellTheSame(Way way) throws Exception {
        Arrivals arrivals = new Arrivals(this::stand);
        try (Ends ends = Ends.of(audit, way, arrivals)
                .client(client -> client.name("the executor"))
                .server(server -> server.name("the driver"))
                .open()) {
            for (int task = 2; task < 10; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                ends.client().send(id, Filling.CODEC, new Filling(id, 30_000L * task));
            }
            assertThrows(
                    UndeliveredResultException.class,
                    () -> ends.client().send(REFUSED, Filling.CODEC, new Filling(REFUSED, 100)));
            agree(ends);
            ConnectionCounters sent = only(ends.client().connectionCounters());
            ConnectionCounters received = only(ends.server().connectionCounters());
            assertEquals("the driver", sent.peer());
            assertEquals("the executor", received.peer());
            assertEquals(ends.server().address(), sent.address());
            assertEquals(sent.sentFrames(), received.receivedFrames());
            assertEquals(received.sentFrames(), sent.receivedFrames());
            assertTrue(sent.sentBytes() > 30_000 * 44, sent::toString);
            assertEquals(
                    List.of(9L, 8L, 1L), List.of(sent.resultsBegun(), sent.resultsAccepted(), sent.resultsFailed()));
            assertEquals(
                    List.of(9L, 8L, 1L),
                    List.of(received.resultsBegun(), received.resultsAccepted(), received.resultsFailed()));
            assertEquals(0, sent.insideBytes() + sent.backlogBytes() + sent.spilledBytes() + sent.diskBytes());
        }
    }

    @ParameterizedTest
    @EnumSource
    void resultThatStandsStillShowsItsBacklogAndSpentCredit(Way way) throws Exception {
        Arrivals arrivals = new Arrivals(this::stand);
        try (Ends ends = Ends.of(audit, way, arrivals).open()) {
            Future<?> sent = audit.executor()
                    .submit(() -> ends.client().send(STANDS, Filling.CODEC, new Filling(STANDS, 400_000)));
            assertTrue(reached.await(20, TimeUnit.SECONDS));
            Eventually.isTrue("it starves", () -> {
                ConnectionCounters now = only(ends.client().connectionCounters());
                return now.sentBytes() > 40_000 // more than is shared: it has had credit of its own
                        && now.ownCreditBytes() == 0
                        && now.insideBytes() == 0
                        && now.backlogBytes() > 2 * Ends.CHUNK
                        && only(ends.server().connectionCounters()).ownCreditBytes() == 0;
            });
            assertEquals(1, only(ends.client().connectionCounters()).resultsOpen());
            assertEquals(1, only(ends.server().connectionCounters()).resultsOpen());
            release.countDown();
            sent.get(20, TimeUnit.SECONDS);
            agree(ends);
            assertEquals(0, only(ends.client().connectionCounters()).backlogBytes());
        } finally {
            release.countDown();
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachConnectionIsListedWhileItIsOpen(Way way) throws Exception {
        try (Ends ends = Ends.of(audit, way, new Arrivals()).open()) {
            try (ResultClient other = ResultClient.builder(
                            ResultEncoder.builder(ends.sending()).build())
                    .name("the other")
                    .connect(ends.server().address())) {
                Eventually.isTrue("both are listed", () -> names(ends.server()).equals(Set.of("client", "the other")));
                Eventually.isTrue("connected", other::isConnected);
                assertEquals("server", only(other.connectionCounters()).peer());
            }
            Eventually.isTrue("one has left", () -> names(ends.server()).equals(Set.of("client")));
        }
    }

    private static Set<String> names(ResultServer server) {
        return server.connectionCounters().stream()
                .map(ConnectionCounters::peer)
                .collect(Collectors.toSet());
    }
}
