// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The README's words on many results over one connection, as they run. */
public final class HelloConnection {

    private static final ValueCodec<long[]> CODEC = new ManyResultsTest.Longs();

    private HelloConnection() {}

    /** What was received, by task. */
    public static Map<Long, long[]> run() throws Exception {
        Map<Long, long[]> received = new ConcurrentHashMap<>();
        ExecutorService executor = Executors.newCachedThreadPool();
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        ResultId id = new ResultId("job", 1, 42, 0);
        ResultId other = new ResultId("job", 1, 43, 0);
        long[] value = {7, 1_000_000};
        long[] small = {8, 100};
        try (ChunkPool pool = ChunkPool.builder().build();
                ChunkPool drivers = ChunkPool.builder().build()) {
            ResultEncoder encoder = ResultEncoder.builder(pool).build();
            // README begin
            ResultServer server = ResultServer.builder(drivers) // a driver's, with a pool of its own
                    .secret(secret)
                    .decodingOn(executor)
                    .handler(result -> received.put(result.id().task(), result.decodeWhole(CODEC))) // as it arrives
                    .start();
            ResultClient client = ResultClient.builder(encoder) // an executor's, for all of its tasks
                    .secret(secret)
                    .connect(server.address());
            client.send(id, CODEC, value); // returns when the receiver has accepted it
            CompletableFuture<ResultFate> fate = client.submit(other, CODEC, small); // small ones share chunks
            // README end
            fate.get(10, TimeUnit.SECONDS);
            client.close();
            server.close();
        } finally {
            executor.shutdown();
        }
        if (!executor.awaitTermination(10, TimeUnit.SECONDS)) {
            throw new AssertionError("handlers still run");
        }
        return received;
    }
}
