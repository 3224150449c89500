// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.FaultyProxy;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Plan;
import io.tailrace.core.testing.Plan.Ending;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many tasks at once of every size, which end in every way, over connections that are cut. */
@Timeout(1_200)
final class ManyTasksTest {

    private static final int TASKS = 64;
    private static final Duration HEARTBEAT = Duration.ofMillis(300);
    private static final Duration LENGTH = LeakAudit.FULL ? Duration.ofMinutes(5) : Duration.ofSeconds(3);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private final Set<ResultId> accepted = ConcurrentHashMap.newKeySet();
    private final AtomicLong attempts = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final ConcurrentHashMap<ResultId, Long> sizes = new ConcurrentHashMap<>();
    private FaultyProxy proxy;

    /** With {@code spills}, a writer's return does not say that its result was accepted. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyResultIsRightOrHasFailedByName(boolean spills) throws Exception {
        long seed = audit.seed();
        Arrivals arrivals = new Arrivals(result -> disturb(result, seed));
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                        .receiving(8 << 10, 512)
                        .sending(8 << 10, 1_024)
                        .server(server -> server.heartbeat(HEARTBEAT).window(6))
                        .client(client -> {
                            client.heartbeat(HEARTBEAT);
                            if (spills) {
                                Path folder = temporary.resolve("spill");
                                client.spill(folder, 16 << 20, Duration.ofMillis(20), audit.executor());
                            }
                        })
                        .via(address -> {
                            proxy = FaultyProxy.to(address).plan(Plan.transparent());
                            return proxy.address();
                        })
                        .open();
                FaultyProxy between = proxy) {
            long until = System.nanoTime() + LENGTH.toNanos();
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < TASKS; task++) {
                int number = task;
                tasks.add(audit.executor().submit(() -> {
                    run(ends, number, new SplittableRandom(seed + number), until);
                    return null;
                }));
            }
            SplittableRandom random = new SplittableRandom(seed - 1);
            while (System.nanoTime() < until) {
                Thread.sleep(random.nextInt(800));
                between.cut(random.nextBoolean() ? Ending.RESET : Ending.FIN);
            }
            for (Future<?> task : tasks) {
                task.get(40, TimeUnit.SECONDS);
            }
            Eventually.isTrue("none is open", () -> ends.server().openResults() == 0);
            Eventually.settlesAt("live bytes", 0, () -> ends.sending().liveBytes());
            Eventually.settlesAt("the disk", 0, () -> ends.client().spilledBytes());
            assertTrue(ends.receiving().peakLiveBytes() <= 512L * (8 << 10));
            arrivals.whole().forEach((id, came) -> assertEquals(sizes.get(id), came, id::toString));
            for (ResultId id : spills ? Set.<ResultId>of() : accepted) {
                assertTrue(arrivals.whole().containsKey(id), id::toString);
            }
            audit.figure(attempts + " attempts, " + accepted.size() + " accepted, " + (bytes.get() >> 20) + " MiB, "
                    + between.connections().size() + " connections");
            assertTrue(accepted.size() > TASKS, () -> "only " + accepted.size() + " were accepted");
        }
    }

    /** What the receiver does is the attempt's own chance. */
    private static void disturb(ArrivingResult result, long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed ^ result.id().hashCode() * 0x9E37_79B9_7F4A_7C15L);
        switch (random.nextInt(24)) {
            case 0 -> throw new IllegalStateException("of the handler");
            case 1 -> result.cancel("of the handler");
            case 2 -> {
                Filling.read(result.id(), random.nextInt(100_000), result.payload());
                throw new IOException("of the handler");
            }
            case 3 -> {
                Filling.read(result.id(), random.nextInt(100_000), result.payload());
                Thread.sleep(random.nextInt(100));
            }
            default -> {}
        }
    }

    @SuppressWarnings("try") // one of the ways to end
    private void run(Ends ends, int task, SplittableRandom random, long until) throws Exception {
        for (int round = 0; System.nanoTime() < until; round++) {
            int most = 1 << random.nextInt(23);
            long size = random.nextInt(16) == 0 ? 0 : random.nextInt(most);
            ResultId id = new ResultId("job", round, task, random.nextInt(3));
            sizes.put(id, size);
            attempts.incrementAndGet();
            try (ResultWriter writer = ends.client().open(id, Filling.CODEC.id())) {
                int how = random.nextInt(12);
                long part = how > 3 ? size : size / 2;
                Filling.write(id, 0, part, writer.payload());
                switch (how) {
                    case 0 -> writer.cancel();
                    case 1 -> writer.fail(new IllegalStateException("of the task"));
                    case 2 -> writer.close();
                    case 3 -> Thread.currentThread().interrupt();
                    default -> {}
                }
                if (how != 1 && how != 2) {
                    Filling.write(id, part, size, writer.payload());
                    writer.finish();
                    bytes.addAndGet(size);
                    accepted.add(id);
                }
            } catch (UndeliveredResultException e) {
                assertTrue(
                        e.fate().verdict() != Verdict.ACCEPTED && e.fate().verdict() != Verdict.SUPERSEDED,
                        e::toString);
            } catch (ResultFailedException | InterruptedIOException e) {
                assertTrue(Thread.interrupted(), e::toString);
            } catch (ResultException e) {
                // cancelled
            }
            Thread.interrupted();
        }
    }
}
