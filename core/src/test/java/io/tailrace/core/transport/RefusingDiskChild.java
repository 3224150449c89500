// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.ResultId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A process whose files may not grow as long as results would have them: both ends of a connection, and readers that stand still. */
final class RefusingDiskChild {

    private RefusingDiskChild() {}

    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        CountDownLatch release = new CountDownLatch(1);
        Arrivals arrivals = new Arrivals(result -> release.await());
        ChunkPool receiving = ChunkPool.builder()
                .chunkBytes(Ends.CHUNK)
                .budgetBytes(64 * Ends.CHUNK)
                .build();
        ChunkPool sending = ChunkPool.builder().chunkBytes(Ends.CHUNK).build();
        try (ResultServer server = ResultServer.builder(receiving)
                        .heartbeat(Duration.ofMillis(400))
                        .decodingOn(threads)
                        .handler(arrivals)
                        .spill(Path.of(args[0]), 64 << 20, Duration.ofMillis(10), threads)
                        .start();
                ResultClient client = ResultClient.builder(
                                ResultEncoder.builder(sending).window(4).build())
                        .connect(server.address())) {
            List<Future<?>> tasks = new ArrayList<>();
            for (int task = 0; task < 3; task++) {
                ResultId id = new ResultId("job", 1, task, 0);
                tasks.add(threads.submit(() -> client.send(id, Filling.CODEC, new Filling(id, 300_000))));
            }
            long seen = 0;
            for (long now = -1; now != seen || now == 0; now = server.spilledBytes()) {
                seen = now;
                Thread.sleep(300);
            }
            System.out.println("spilled=" + seen);
            release.countDown();
            for (Future<?> task : tasks) {
                task.get();
            }
            System.out.println("whole="
                    + arrivals.whole().values().stream().mapToLong(n -> n).sum());
            System.out.println("left=" + server.spilledBytes());
        }
        threads.shutdown();
        receiving.close();
    }
}
