// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.mux.SpillDirectory;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A process is killed in the midst of its results: the other end hears of it at once, and keeps nothing. */
@Timeout(1_200)
final class KilledProcessTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration HEARTBEAT = Duration.ofMillis(300);
    private static final int KILLS = LeakAudit.FULL ? 100 : 2;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path directory;

    @Test
    void receiverHearsOfAKilledSender() throws Exception {
        Random random = audit.random();
        Path spill = directory.resolve("spill");
        Arrivals arrivals = new Arrivals(result -> Thread.sleep(random.nextInt(30)));
        ChunkPool pool = audit.pool(Ends.CHUNK, 256L * Ends.CHUNK);
        try (ResultServer server = ResultServer.builder(pool)
                .heartbeat(HEARTBEAT)
                .window(2)
                .decodingOn(audit.executor())
                .handler(arrivals)
                .start()) {
            for (int kill = 0; kill < KILLS; kill++) {
                int port = ((InetSocketAddress) server.address()).getPort();
                try (ChildJvm child = ChildJvm.of(SendingChild.class, directory)
                        .start("send", Integer.toString(port), spill.toString())) {
                    child.await("sends", PATIENCE);
                    int before = arrivals.calls();
                    Eventually.isTrue("some came", () -> arrivals.calls() > before);
                    Thread.sleep(random.nextInt(200));
                    child.kill();
                }
                long start = System.nanoTime();
                Eventually.isTrue("found out", () -> server.connections() == 0 && server.openResults() == 0);
                long nanos = System.nanoTime() - start;
                assertTrue(nanos < 2 * HEARTBEAT.toNanos() + 1_000_000_000L, () -> nanos / 1_000_000 + " ms");
                Eventually.isTrue("nothing is held", () -> pool.liveBytes() == 0);
                server.forgetJob("child");
            }
        }
        arrivals.whole().values().forEach(bytes -> assertEquals(300_000, bytes));
        arrivals.thrown().values().forEach(each -> assertInstanceOf(TruncatedResultException.class, each));
        SpillDirectory.open(spill, 1 << 20).close();
        try (Stream<Path> left = Files.list(spill)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void senderHearsOfAKilledReceiver() throws Exception {
        Random random = audit.random();
        ChunkPool pool = audit.pool(Ends.CHUNK, 256L * Ends.CHUNK);
        for (int kill = 0; kill < KILLS; kill++) {
            try (ChildJvm child = ChildJvm.of(SendingChild.class, directory).start("receive")) {
                int port = Integer.parseInt(child.await("port=", PATIENCE).substring(5));
                try (ResultClient client = ResultClient.builder(
                                ResultEncoder.builder(pool).window(4).build())
                        .heartbeat(HEARTBEAT)
                        .connectLimit(Duration.ofSeconds(1))
                        .spill(directory.resolve("spill"), 64 << 20, Duration.ofMillis(1), audit.executor())
                        .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
                    List<Future<UndeliveredResultException>> tasks = Stream.of(1, 2, 3, 4)
                            .map(stage -> audit.executor().submit(() -> untilLost(client, stage)))
                            .toList();
                    Eventually.isTrue("connected", client::isConnected);
                    Thread.sleep(random.nextInt(200));
                    child.kill();
                    for (Future<UndeliveredResultException> task : tasks) {
                        UndeliveredResultException told = task.get(5, TimeUnit.SECONDS);
                        assertEquals(Verdict.LOST, told.fate().verdict());
                        assertTrue(told.retriable());
                    }
                    Eventually.settlesAt("live bytes", 0, pool::liveBytes);
                    Eventually.settlesAt("the disk", 0, client::spilledBytes);
                }
            }
        }
    }

    private static UndeliveredResultException untilLost(ResultClient client, int stage) throws Exception {
        for (int task = 0; ; task++) {
            ResultId id = new ResultId("job", stage, task, 0);
            try {
                client.send(id, Filling.CODEC, new Filling(id, 300_000));
            } catch (UndeliveredResultException e) {
                return e;
            }
        }
    }
}
