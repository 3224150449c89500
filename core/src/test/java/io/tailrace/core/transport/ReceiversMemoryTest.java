// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The receiver's budget bounds all that arrives, and however small it is, all of it arrives in the end. */
final class ReceiversMemoryTest {

    private static final int CHUNK = Ends.CHUNK;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @ParameterizedTest
    @CsvSource({"SOCKET,1", "SOCKET,16", "SOCKET,128", "SOCKET,512", "LOCAL,1", "LOCAL,16", "LOCAL,128", "LOCAL,512"})
    void resultsOfOneConnectionStayWithinTheBudget(Way way, int results) throws Exception {
        CountDownLatch allOpen = new CountDownLatch(results);
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, way, arrivals)
                .receiving(CHUNK, 24)
                .sending(CHUNK, 4 * results)
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < results; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                tasks.add(audit.executor().submit(() -> {
                    try (var writer = ends.client().open(id, Filling.CODEC.id())) {
                        allOpen.countDown();
                        assertTrue(allOpen.await(20, TimeUnit.SECONDS));
                        Filling.write(id, 0, size(id), writer.payload());
                        return writer.finish();
                    }
                }));
            }
            join(tasks);
            assertEquals(results, arrivals.whole().size());
            arrivals.whole().forEach((id, bytes) -> assertEquals(size(id), bytes));
            assertTrue(
                    ends.receiving().peakLiveBytes() <= 24L * CHUNK,
                    () -> "peak " + ends.receiving().peakLiveBytes());
            assertTrue(ends.sending().peakLiveBytes() <= 4L * results * CHUNK);
        }
    }

    private static long size(ResultId id) {
        return 30_000 + 37 * id.task();
    }

    @ParameterizedTest
    @CsvSource({"SOCKET", "LOCAL"})
    void manyConnectionsShareOneBudget(Way way) throws Exception {
        Arrivals arrivals = new Arrivals();
        List<ResultClient> clients = new ArrayList<>();
        try (Ends ends = Ends.of(audit, way, arrivals).receiving(CHUNK, 24).open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int number = 0; number < 20; number++) {
                ResultClient client = ResultClient.builder(ends.encoder())
                        .connect(ends.server().address());
                clients.add(client);
                for (int task = 0; task < 5; task++) {
                    ResultId id = new ResultId("job", number, task, 0);
                    tasks.add(audit.executor().submit(() -> client.send(id, Filling.CODEC, new Filling(id, size(id)))));
                }
            }
            join(tasks);
            assertEquals(100, arrivals.whole().size());
            assertTrue(ends.receiving().peakLiveBytes() <= 24L * CHUNK);
        } finally {
            clients.forEach(ResultClient::close);
        }
    }

    /** The chunk being filled and the one behind it are all there is, and no credit is shared. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 64})
    void leastPoolMakesProgress(int count) throws Exception {
        for (Way way : Way.values()) {
            Random random = audit.random();
            Arrivals arrivals = new Arrivals();
            try (Ends ends = Ends.of(audit, way, arrivals)
                    .receiving(CHUNK, 2)
                    .patience(Duration.ofSeconds(15))
                    .open()) {
                List<Future<?>> tasks = new ArrayList<>();
                for (int task = 0; task < count; task++) {
                    ResultId id = new ResultId("job", 1, task, 0);
                    long bytes = random.nextInt(5) == 0 ? 0 : random.nextInt(30_000);
                    tasks.add(audit.executor()
                            .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, bytes))));
                }
                join(tasks);
                assertEquals(count, arrivals.whole().size());
                assertTrue(ends.receiving().peakLiveBytes() <= 2 * CHUNK);
            }
        }
    }

    /** Who expands needs a chunk besides the one that arrived: for none of them may the last one be gone. */
    @ParameterizedTest
    @CsvSource({"3,1", "3,8", "4,8", "8,16", "16,64"})
    void smallPoolMakesProgressWithCompressedResults(int chunks, int count) throws Exception {
        try (Ends ends = Ends.of(audit, Way.SOCKET, result -> assertEquals(200_000, result.decode(new Zeros())))
                .receiving(CHUNK, chunks)
                .patience(Duration.ofSeconds(10))
                .server(server -> server.compression(new PackBits()))
                .encoder(encoder -> encoder.compression(new PackBits()))
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < count; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                tasks.add(audit.executor().submit(() -> ends.client().send(id, new Zeros(), 200_000)));
            }
            join(tasks);
        }
    }

    @Test
    void poolInWhichNoResultCouldEndIsRefused() throws Exception {
        Ends.Setup one = Ends.of(audit, Way.SOCKET, new Arrivals()).receiving(CHUNK, 1);
        assertThrows(IllegalStateException.class, one::open);
        Ends.Setup two = Ends.of(audit, Way.SOCKET, new Arrivals())
                .receiving(CHUNK, 2)
                .server(server -> server.compression(new PackBits()));
        assertThrows(IllegalStateException.class, two::open);
    }

    /** A sender's chunks may be smaller than the receiver's: several frames share one there. */
    @Test
    void smallFramesArePackedIntoTheReceiversChunks() throws Exception {
        Arrivals arrivals = new Arrivals();
        try (Ends ends = Ends.of(audit, Way.SOCKET, arrivals)
                .receiving(8 * CHUNK, 8)
                .sending(512, 4_096)
                .encoder(encoder -> encoder.window(16))
                .open()) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 32; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                tasks.add(audit.executor()
                        .submit(() -> ends.client().send(id, Filling.CODEC, new Filling(id, size(id)))));
            }
            join(tasks);
            assertEquals(32, arrivals.whole().size());
            assertTrue(ends.receiving().peakLiveBytes() <= 64L * CHUNK);
        }
    }

    @Test
    void resultOfLargerChunksThanTheReceiversFindsNoConnection() throws Exception {
        try (Ends ends = Ends.of(audit, Way.SOCKET, new Arrivals()).open();
                ResultClient large = ResultClient.builder(ResultEncoder.builder(audit.pool(2 * CHUNK, 64L * CHUNK))
                                .build())
                        .connectLimit(Duration.ofMillis(300))
                        .connect(ends.server().address())) {
            IOException failed =
                    assertThrows(IOException.class, () -> large.open(new ResultId("job", 1, 1, 0), "filling/1"));
            assertTrue(String.valueOf(failed.getMessage()).contains("chunks of"), failed::toString);
        }
    }

    private static void join(List<Future<?>> tasks) throws Exception {
        for (Future<?> task : tasks) {
            task.get(20, TimeUnit.SECONDS);
        }
    }

    /** Many zeros and some that are not: the frames shrink, but none to nothing. */
    private record Zeros() implements ValueCodec<Integer> {
        @Override
        public String id() {
            return "zeros/1";
        }

        @Override
        public void encode(Integer bytes, WireOutput out) throws IOException {
            for (int i = 0; i < bytes; i++) {
                out.writeByte(i % 9 < 6 ? 0 : i);
            }
        }

        @Override
        public Integer decode(WireInput in) throws IOException {
            int bytes = 0;
            for (; !in.exhausted(); bytes++) {
                assertEquals((byte) (bytes % 9 < 6 ? 0 : bytes), in.readByte());
            }
            return bytes;
        }
    }
}
