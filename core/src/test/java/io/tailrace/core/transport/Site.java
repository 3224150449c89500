// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A server, and a well-behaved client of it beside whom others misbehave. */
final class Site implements AutoCloseable {

    static final byte[] SECRET = "sixteen or more bytes of secret".getBytes(StandardCharsets.US_ASCII);
    static final int CHUNK = 4_096;

    final ChunkPool pool;
    final ResultServer server;
    final ResultClient good;
    final Queue<ResultId> handled = new ConcurrentLinkedQueue<>();
    private final AtomicInteger sent = new AtomicInteger();

    Site(LeakAudit audit) throws Exception {
        this(audit, server -> server);
    }

    Site(LeakAudit audit, UnaryOperator<ResultServer.Builder> settings) throws Exception {
        this(audit, settings, client -> client);
    }

    Site(
            LeakAudit audit,
            UnaryOperator<ResultServer.Builder> settings,
            UnaryOperator<ResultClient.Builder> clientSettings)
            throws Exception {
        pool = audit.pool(CHUNK, 256 * CHUNK);
        server = settings.apply(ResultServer.builder(pool)
                        .address(new InetSocketAddress(loopback(), 0))
                        .secret(SECRET)
                        .decodingOn(audit.executor())
                        .handler(result -> {
                            handled.add(result.id());
                            result.finish();
                        }))
                .start();
        good = clientSettings
                .apply(client(audit.pool(CHUNK, 64 * CHUNK)).secret(SECRET))
                .connect(address());
    }

    static ResultClient.Builder client(ChunkPool pool) {
        return ResultClient.builder(ResultEncoder.builder(pool).build()).connectLimit(Duration.ofSeconds(10));
    }

    /** One without a name, so that it is what a certificate must name. */
    static InetAddress loopback() throws IOException {
        return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    }

    InetSocketAddress address() {
        return (InetSocketAddress) server.address();
    }

    /** The good client's next result arrives; returns how many nanoseconds that took. */
    long goodResultArrives() throws Exception {
        ResultId id = new ResultId("good", 0, sent.incrementAndGet(), 0);
        long begin = System.nanoTime();
        good.send(id, new ManyResultsTest.Longs(), new long[] {id.task(), 600});
        long taken = System.nanoTime() - begin;
        assertTrue(handled.contains(id));
        return taken;
    }

    /** Nothing but the good client's was let in, and the strangers are gone. */
    void onlyGoodResultsCame() throws Exception {
        Eventually.isTrue("strangers are gone", () -> server.connections() == 1);
        assertTrue(handled.stream().allMatch(id -> id.job().equals("good")), handled::toString);
        assertEquals(sent.get(), handled.size());
        assertEquals(0, server.openResults());
    }

    @Override
    public void close() {
        good.close();
        server.close();
    }
}
