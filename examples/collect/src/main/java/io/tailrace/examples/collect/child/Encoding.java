// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.codec.lz4.Lz4Compression;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.ResultId;
import io.tailrace.examples.collect.work.Work;
import java.io.IOException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What both transports have in common: the row codec writes in the chunks that go to the wire, and the metrics follow in the
 * trailer.
 *
 * <p><b>Threads.</b> Any number of tasks at a time, each on a thread of its own.
 */
final class Encoding {

    private final Job job;
    private final Work work;
    private final ChunkPool pool;
    private final ResultEncoder encoder;
    private final @Nullable BlockCompression compression;

    /** @param sending the threads that send in threaded mode */
    Encoding(Job job, Child.Role role, Executor sending) {
        this.job = job;
        this.work = job.work();
        this.compression = job.lz4() ? Lz4Compression.fastest() : null;
        this.pool = ChunkPool.builder()
                .chunkBytes(job.chunkBytes())
                .budgetBytes(job.budgetBytes(role))
                .build();
        this.encoder = ResultEncoder.builder(pool)
                .window(job.window())
                .compression(compression)
                .sendingOn(job.threaded() ? sending : null)
                .build();
        if (compression != null) {
            Report.COMPRESSION.say("lz4 (" + compression.implementation() + ")");
        }
    }

    /** Where a task's result goes. */
    @FunctionalInterface
    interface Destination {
        ResultWriter open(ResultId id, String codecId) throws IOException;
    }

    ChunkPool pool() {
        return pool;
    }

    ResultEncoder encoder() {
        return encoder;
    }

    @Nullable
    BlockCompression compression() {
        return compression;
    }

    /** Runs a task and sends its rows as they are made. */
    void run(int task, Meter meter, Destination to) throws IOException {
        long start = System.nanoTime();
        try (ResultWriter writer = to.open(new ResultId("collect", 1, task, 0), work.codecId())) {
            long[] rows = {0};
            work.produce(task, writer.payload(), more -> {
                rows[0] += more;
                meter.addRows(more);
                meter.liveHeap().lookNowAndThen();
            });
            metrics(rows[0], System.nanoTime() - start, meter).write(writer.trailer());
            ResultSummary summary = writer.finish();
            Report.FIRST_BYTE.say(summary.firstPayloadNanos() / 1_000);
            meter.addPayloadBytes(summary.payloadBytes());
            meter.addWireBytes(summary.wireBytes());
        }
    }

    private TaskMetrics metrics(long rows, long nanos, Meter meter) {
        double scale = job.text() == null ? job.scale() : 0;
        return new TaskMetrics(
                job.tasks(),
                scale,
                rows,
                nanos,
                pool.peakLiveBytes(),
                meter.liveHeap().largest());
    }
}
