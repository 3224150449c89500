// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A process that sends results, or receives them, until it is killed. */
final class SendingChild {

    private static final Duration HEARTBEAT = Duration.ofMillis(300);

    private SendingChild() {}

    public static void main(String[] args) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        ChunkPool pool = ChunkPool.builder().chunkBytes(Ends.CHUNK).build();
        if (args[0].equals("receive")) {
            receive(pool, threads);
        } else {
            send(pool, threads, Integer.parseInt(args[1]), Path.of(args[2]));
        }
    }

    private static void receive(ChunkPool pool, ExecutorService threads) throws Exception {
        Arrivals arrivals = new Arrivals();
        ResultServer server = ResultServer.builder(pool)
                .heartbeat(HEARTBEAT)
                .decodingOn(threads)
                .handler(arrivals)
                .start();
        System.out.println("port=" + ((InetSocketAddress) server.address()).getPort());
        Thread.sleep(60_000);
    }

    private static void send(ChunkPool pool, ExecutorService threads, int port, Path spill) throws Exception {
        ResultClient client = ResultClient.builder(
                        ResultEncoder.builder(pool).window(4).build())
                .heartbeat(HEARTBEAT)
                .spill(spill, 64 << 20, Duration.ofMillis(1), threads)
                .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        System.out.println("sends");
        for (int thread = 0; thread < 4; thread++) {
            int stage = thread;
            threads.execute(() -> endlessly(client, stage));
        }
        Thread.sleep(60_000);
    }

    private static void endlessly(ResultClient client, int stage) {
        try {
            for (int task = 0; task < Integer.MAX_VALUE; task++) {
                ResultId id = new ResultId("child", stage, task, 0);
                try {
                    client.send(id, Filling.CODEC, new Filling(id, 300_000));
                } catch (UndeliveredResultException e) {
                    System.out.println("undelivered: " + e.getMessage());
                }
            }
        } catch (Exception e) {
            e.printStackTrace(System.out);
        }
    }
}
