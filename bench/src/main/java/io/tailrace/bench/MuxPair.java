// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.transport.ArrivingResult;
import io.tailrace.core.transport.ResultClient;
import io.tailrace.core.transport.ResultServer;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A server and a client of its own, and one connection over loopback TCP between them.
 *
 * <p><b>Threads.</b> Any thread sends.
 */
final class MuxPair implements BigResult.Sending, AutoCloseable {

    /** Enough for sixteen results with credit of their own, in chunks of 256 KiB. */
    private static final long BUDGET_BYTES = 128L << 20;

    private final ResultEncoder encoder;
    private final ChunkPool pool;
    private final ExecutorService decoding = Executors.newCachedThreadPool();
    private final ResultServer server;
    private final ResultClient client;
    private final AtomicLong tasks = new AtomicLong();
    private volatile @Nullable BigResult<?> expected;
    private volatile @Nullable Stalled stalled;

    private MuxPair(Encoding encoding, int decoders, ResultServer.@Nullable Handler handler, @Nullable TlsParties tls)
            throws Exception {
        encoder = encoding.encoder();
        pool = ChunkPool.builder()
                .chunkBytes(encoder.pool().chunkBytes())
                .budgetBytes(BUDGET_BYTES)
                .build();
        ResultServer.Builder listening = ResultServer.builder(pool)
                .window(encoding.window())
                .decodingOn(decoding)
                .maxDecoders(decoders)
                .handler(handler == null ? this::receive : handler);
        ResultClient.Builder sending = ResultClient.builder(encoder);
        if (tls != null) {
            listening.tls(tls.transportServer());
            sending.tls(tls.transportClient());
        }
        server = listening.start();
        client = sending.connect(server.address());
    }

    /** For big results, one after another, and so many others that are handled meanwhile. */
    static MuxPair ofBigResults(Encoding encoding, int others) throws Exception {
        return new MuxPair(encoding, 1 + others, null, null);
    }

    static MuxPair ofBigResults(Encoding encoding, TlsParties tls) throws Exception {
        return new MuxPair(encoding, 1, null, tls);
    }

    static MuxPair handling(Encoding encoding, int decoders, ResultServer.Handler handler) throws Exception {
        return new MuxPair(encoding, decoders, handler, null);
    }

    @Override
    public <E> ResultSummary send(BigResult<E> result) throws IOException {
        expected = result;
        return client.send(nextId(), result.codec(), result.source());
    }

    <T> CompletableFuture<ResultFate> submit(ValueCodec<T> codec, T value) throws IOException {
        return client.submit(nextId(), codec, value);
    }

    <T> CompletableFuture<ResultFate> submit(ResultId id, ValueCodec<T> codec, T value) throws IOException {
        return client.submit(id, codec, value);
    }

    private ResultId nextId() {
        return new ResultId("bench", 1, tasks.getAndIncrement(), 0);
    }

    /** From here on, its results are handled by it. */
    void stalling(Stalled others) {
        stalled = others;
    }

    private void receive(ArrivingResult result) throws IOException, InterruptedException {
        Stalled others = stalled;
        if (others != null && Stalled.is(result)) {
            others.receive(result);
        }
        BigResult<?> sent = expected;
        if (sent == null) {
            throw new IOException("nothing was sent");
        }
        sent.receive(result::decode);
    }

    /** Bytes that wait or are under way, on both sides. */
    long liveBytes() {
        return pool.liveBytes() + encoder.pool().liveBytes();
    }

    @Override
    public void close() {
        client.close();
        server.close();
        decoding.shutdown();
        Ending.await("handlers", decoding::awaitTermination);
        pool.close();
    }
}
