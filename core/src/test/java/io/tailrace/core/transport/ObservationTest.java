// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.transport.ManyResultsTest.Longs;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator sees: counters, meters and recorded events tell the same story. */
final class ObservationTest {

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private ChunkPool pool;
    private ResultServer server;
    private ResultClient client;

    @TempDir
    private Path folder;

    @BeforeEach
    void connect() throws IOException {
        pool = ChunkPool.builder().build();
        server = ResultServer.builder(pool)
                .decodingOn(threads)
                .handler(result -> {
                    if (result.id().task() == 13) {
                        throw new IllegalArgumentException("no thirteen");
                    }
                    result.decode(new Longs());
                })
                .start();
        client = ResultClient.builder(ResultEncoder.builder(pool).build()).connect(server.address());
    }

    @AfterEach
    void close() throws InterruptedException {
        client.close();
        server.close();
        threads.shutdown();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        pool.close();
    }

    private void sendThreeOfWhichOneIsRefused() throws IOException {
        client.send(new ResultId("job", 1, 1, 0), new Longs(), new long[] {1, 10});
        client.send(new ResultId("job", 1, 2, 0), new Longs(), new long[] {1, 1_000_000});
        UndeliveredResultException refused = assertThrows(
                UndeliveredResultException.class,
                () -> client.send(new ResultId("job", 1, 13, 0), new Longs(), new long[] {1, 10}));
        assertTrue(
                refused.fate().reason().contains("no thirteen"), refused.fate().reason());
    }

    @Test
    void bothEndsCountTheSameFates() throws Exception {
        sendThreeOfWhichOneIsRefused();
        TransportCounters sent = client.counters();
        Eventually.isTrue("all results have ended", () -> server.counters().resultsOpen() == 0);
        TransportCounters received = server.counters();
        assertEquals(
                List.of(3L, 2L, 1L, 0L),
                List.of(sent.resultsOpened(), sent.resultsAccepted(), sent.resultsRefused(), sent.resultsOpen()));
        assertEquals(
                List.of(3L, 2L, 1L, 0L),
                List.of(
                        received.resultsOpened(),
                        received.resultsAccepted(),
                        received.resultsRefused(),
                        received.resultsOpen()));
        assertTrue(sent.frameBytes() > 8_000_000, () -> "sent " + sent);
        assertEquals(1, received.connectionsOpened());
        assertEquals(0, received.connectionsLost());
    }

    @Test
    void metersShowWhatTheCountersShow() throws IOException {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        TransportMeters.of(client, List.of()).bindTo(registry);
        TransportMeters.of(server, List.of()).bindTo(registry);
        sendThreeOfWhichOneIsRefused();
        assertEquals(
                2,
                registry.get("tailrace.results")
                        .tags("side", "sender", "fate", "accepted")
                        .functionCounter()
                        .count());
        assertEquals(
                1,
                registry.get("tailrace.results")
                        .tags("side", "sender", "fate", "refused")
                        .functionCounter()
                        .count());
        assertEquals(
                3,
                registry.get("tailrace.results.opened")
                        .tags("side", "receiver")
                        .functionCounter()
                        .count());
        assertEquals(
                (double) client.counters().frameBytes(),
                registry.get("tailrace.frames")
                        .tags("side", "sender")
                        .functionCounter()
                        .count());
        assertTrue(registry.get("tailrace.memory.netty")
                        .tags("side", "receiver")
                        .gauge()
                        .value()
                > 0);
    }

    @Test
    void metersShowStallsByCauseAndCreditByAccount() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        TransportMeters.of(client, List.of()).bindTo(registry);
        TransportMeters.of(server, List.of()).bindTo(registry);
        sendThreeOfWhichOneIsRefused();
        Eventually.isTrue("all results have ended", () -> server.counters().resultsOpen() == 0);
        List<String> causes = registry.get("tailrace.stall").functionCounters().stream()
                .map(each -> each.getId().getTag("side") + " " + each.getId().getTag("cause"))
                .sorted()
                .toList();
        assertEquals(
                List.of(
                        "receiver bytes",
                        "receiver decoder",
                        "sender acknowledgement",
                        "sender admission",
                        "sender credit",
                        "sender disk",
                        "sender link",
                        "sender pool",
                        "sender window"),
                causes);
        assertEquals(
                client.counters().stallNanos(StallCause.ACKNOWLEDGEMENT) / 1e9,
                registry.get("tailrace.stall")
                        .tag("cause", "acknowledgement")
                        .functionCounter()
                        .count());
        assertTrue(registry.get("tailrace.credit")
                        .tags("side", "receiver", "account", "shared")
                        .gauge()
                        .value()
                > 0);
        assertEquals(
                0,
                registry.get("tailrace.credit")
                        .tags("side", "sender", "account", "own")
                        .gauge()
                        .value());
        assertEquals(
                0,
                registry.get("tailrace.backlog").tag("side", "sender").gauge().value());
        assertEquals(
                0,
                registry.get("tailrace.spilled")
                        .tag("side", "sender")
                        .functionCounter()
                        .count());
    }

    @Test
    void metersOutliveTheirBinder() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        WeakReference<TransportMeters> binder = bindTo(registry);
        Eventually.isTrue("the binder is collected", () -> {
            System.gc();
            return binder.refersTo(null);
        });
        sendThreeOfWhichOneIsRefused();
        assertEquals(
                3,
                registry.get("tailrace.results.opened")
                        .tags("side", "sender")
                        .functionCounter()
                        .count());
    }

    private WeakReference<TransportMeters> bindTo(SimpleMeterRegistry registry) {
        TransportMeters meters = TransportMeters.of(client, List.of());
        meters.bindTo(registry);
        return new WeakReference<>(meters);
    }

    @Test
    void flightRecorderTellsOfEachResultAndConnection() throws Exception {
        Path file = folder.resolve("tailrace.jfr");
        try (Recording recording = new Recording()) {
            recording.enable(ResultEvent.class).withoutThreshold();
            recording.enable(ConnectionEvent.class).withoutThreshold();
            recording.start();
            try (ResultClient other = ResultClient.builder(
                            ResultEncoder.builder(pool).build())
                    .name("the other")
                    .connect(server.address())) {
                other.send(new ResultId("recorded", 1, 7, 2), new Longs(), new long[] {1, 1_000});
            }
            Eventually.isTrue("the other has left", () -> server.connections() == 1 && server.openResults() == 0);
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        RecordedEvent sent = find(events, "io.tailrace.Result", "direction", "sent");
        RecordedEvent received = find(events, "io.tailrace.Result", "direction", "received");
        assertEquals("ACCEPTED", sent.getString("verdict"));
        assertEquals("ACCEPTED", received.getString("verdict"));
        assertEquals(7, received.getLong("task"));
        assertEquals(2, received.getInt("attempt"));
        assertTrue(sent.getLong("frameBytes") > 8_000);
        assertTrue(sent.getDuration("acknowledgementStall").toNanos() > 0, sent::toString);
        assertTrue(received.getDuration("decoderStall").toNanos() > 0, received::toString);
        assertEquals(0, sent.getLong("spilledBytes"));
        assertEquals(0, sent.getDuration("diskStall").toNanos());
        assertEquals(
                "the other",
                find(events, "io.tailrace.Connection", "direction", "incoming").getString("peer"));
        RecordedEvent connection = find(events, "io.tailrace.Connection", "direction", "outgoing");
        assertEquals(1, connection.getLong("resultsAccepted"));
        assertTrue(connection.getLong("sentBytes") > 8_000, connection::toString);
    }

    private static RecordedEvent find(List<RecordedEvent> events, String type, String field, String value) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(type))
                .filter(event -> value.equals(event.getString(field)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + type + " of " + value + " in " + events));
    }
}
