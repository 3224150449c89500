// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.local.LocalAddress;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Many results over one connection, of every size, by sockets and within the process. */
final class ManyResultsTest {

    static List<SocketAddress> addresses() {
        return List.of(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new LocalAddress(ManyResultsTest.class));
    }

    /** So many longs, counted up from the first. */
    record Longs() implements ValueCodec<long[]> {
        @Override
        public String id() {
            return "longs/1";
        }

        @Override
        public void encode(long[] firstAndCount, WireOutput out) throws IOException {
            for (long i = 0; i < firstAndCount[1]; i++) {
                out.writeLong(firstAndCount[0] + i);
            }
        }

        @Override
        public long[] decode(WireInput in) throws IOException {
            long first = in.exhausted() ? 0 : in.readLong();
            long count = in.position() / 8;
            while (!in.exhausted()) {
                assertEquals(first + count++, in.readLong());
            }
            return new long[] {first, count};
        }
    }

    private final Map<ResultId, long[]> received = new ConcurrentHashMap<>();

    @ParameterizedTest
    @MethodSource("addresses")
    void resultsOfManyTasksArriveWhole(SocketAddress address) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ChunkPool pool = ChunkPool.builder().paranoid(true).build();
                ResultServer server = ResultServer.builder(pool)
                        .address(address)
                        .secret(new byte[32])
                        .decodingOn(threads)
                        .handler(result -> received.put(result.id(), result.decode(new Longs())))
                        .start();
                ResultClient client = ResultClient.builder(
                                ResultEncoder.builder(pool).build())
                        .secret(new byte[32])
                        .connect(server.address())) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 40; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                long count = task % 4 == 0 ? 1_000_000 : 13L * task;
                tasks.add(threads.submit(() -> client.send(id, new Longs(), new long[] {id.task(), count})));
            }
            for (Future<?> task : tasks) {
                task.get(30, TimeUnit.SECONDS);
            }
            assertEquals(40, received.size());
            received.forEach((id, longs) -> {
                assertEquals(id.task() % 4 == 0 ? 1_000_000 : 13 * id.task(), longs[1]);
            });
            assertTrue(pool.peakLiveBytes() <= pool.budgetBytes());
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @MethodSource("addresses")
    void oneThreadHasManySmallResultsUnderWay(SocketAddress address) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ChunkPool pool = ChunkPool.builder().build();
                ResultServer server = ResultServer.builder(pool)
                        .address(address)
                        .decodingOn(threads)
                        .handler(result -> received.put(result.id(), result.decode(new Longs())))
                        .start();
                ResultClient client = ResultClient.builder(
                                ResultEncoder.builder(pool).build())
                        .connect(server.address())) {
            List<CompletableFuture<ResultFate>> fates = new ArrayList<>();
            for (int task = 0; task < 20_000; task++) {
                fates.add(client.submit(new ResultId("job", 1, task, 0), new Longs(), new long[] {task, 128}));
            }
            for (CompletableFuture<ResultFate> fate : fates) {
                assertEquals(
                        ResultFate.Verdict.ACCEPTED,
                        fate.get(10, TimeUnit.SECONDS).verdict());
            }
            assertEquals(20_000, received.size());
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void writerSeesTheReceiversAnswer() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ChunkPool pool = ChunkPool.builder().build();
                ResultServer server = ResultServer.builder(pool)
                        .decodingOn(threads)
                        .handler(result -> received.put(result.id(), result.decode(new Longs())))
                        .start();
                ResultClient client = ResultClient.builder(
                                ResultEncoder.builder(pool).build())
                        .connect(server.address());
                ResultWriter writer = client.open(new ResultId("job", 1, 2, 3), "longs/1")) {
            writer.payload().writeLong(5);
            writer.finish();
            assertEquals(5, received.get(new ResultId("job", 1, 2, 3))[0]);
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS));
        }
    }
}
