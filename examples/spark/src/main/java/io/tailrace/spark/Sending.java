// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.transport.ResultClient;
import io.tailrace.core.transport.TransportTls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An executor's end: one connection to the driver, for the results of all tasks.
 *
 * <p><b>Threads.</b> Any number of tasks; {@code unreachableUntil} is a hint that may be late.
 */
final class Sending implements AutoCloseable {

    /** Which bytes a payload is: one value by the application's serializer. */
    static final String VALUE = "spark-value/1";

    /** The same of an array, slice by slice: {@link ArraySlices}. */
    static final String SLICES = "spark-slices/1";

    /** The same of elements, one behind the other, behind a header of {@link PartitionSender}'s. */
    static final String ELEMENTS = "spark-elements/1";

    /** So long no task waits again for a connection that one has waited for in vain. */
    private static final long REST_NANOS = Duration.ofSeconds(30).toNanos();

    private final Settings settings;
    private final Token token;
    private final ExecutorMeters meters;
    private final ChunkPool pool;
    private final ResultClient client;
    private final KillWatch kills = new KillWatch();
    private volatile long unreachableUntil = System.nanoTime();

    Sending(
            Settings settings,
            InetSocketAddress driver,
            byte[] secret,
            @Nullable TransportTls tls,
            String name,
            ExecutorMeters meters)
            throws IOException {
        this.settings = settings;
        this.token = new Token(secret);
        this.meters = meters;
        this.pool = ChunkPool.builder()
                .chunkBytes(settings.chunkBytes())
                .budgetBytes(settings.executorMemory())
                .patience(settings.connectLimit())
                .build();
        ResultEncoder encoder =
                ResultEncoder.builder(pool).window(settings.window()).build();
        this.client = ResultClient.builder(encoder)
                .secret(secret)
                .tls(tls)
                .name(name)
                .coalescingChunks(1)
                .connectLimit(settings.connectLimit())
                .connect(driver);
    }

    /** Whether it is worth a try. A task that must not go Spark's own way tries in any case. */
    boolean isReachable() {
        return lostPolicy() != LostPolicy.STOCK || client.isConnected() || System.nanoTime() - unreachableUntil >= 0;
    }

    /** A result was lost, or could not begin. */
    void lost() {
        if (!client.isConnected()) {
            unreachableUntil = System.nanoTime() + REST_NANOS;
        }
    }

    /** Opens the task's result, on its thread. */
    ResultWriter open(RunningTask task, String codec) throws IOException {
        return client.open(task.resultId(), codec);
    }

    /** Has a kill wake the task on this thread, until it is closed. */
    KillWatch.Watch watch(RunningTask task) {
        return kills.begin(task);
    }

    void delivered(ResultSummary summary) {
        meters.delivered(summary);
    }

    int minBytes() {
        return settings.minBytes();
    }

    boolean slicesArrays() {
        return settings.sliceArrays();
    }

    LostPolicy lostPolicy() {
        return settings.lost();
    }

    int killedAttempts() {
        return settings.killedAttempts();
    }

    Token token() {
        return token;
    }

    ExecutorMeters meters() {
        return meters;
    }

    ChunkPool pool() {
        return pool;
    }

    ResultClient client() {
        return client;
    }

    @Override
    public void close() {
        client.close();
        kills.close();
    }
}
