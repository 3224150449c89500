// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.codec.lz4.Lz4Compression;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FileSink;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultId;
import io.tailrace.examples.collect.work.Answer;
import io.tailrace.examples.collect.work.Work;
import java.io.IOException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * The library's way: the row codec writes in the chunks that go to the wire, the metrics follow in the trailer, and the
 * driver decodes rows out of the chunks as they arrive.
 *
 * <p><b>Threads.</b> One encoding thread sends; any number of decoding threads receive, each its own connection.
 */
final class TailraceCarrier implements Carrier {

    /** Chunks one connection of the driver reads through: one that is folded, one that arrives; two more expand. */
    private static final int READ_WINDOW = 4;

    /** Rows are folded and dropped, so a result may have any length; what is kept of it may not. */
    private static final DecoderLimits LIMITS = DecoderLimits.DEFAULT
            .withWireBytes(Long.MAX_VALUE)
            .withPayloadBytes(Long.MAX_VALUE)
            .withTrailerBytes(1 << 10)
            .withValueBytes(1 << 20);

    private final Job job;
    private final Work work;
    private final ChunkPool pool;
    private final ResultEncoder encoder;
    private final @Nullable BlockCompression compression;
    private final ExecutorService sending = Executors.newCachedThreadPool();

    TailraceCarrier(Job job) {
        this.job = job;
        this.work = job.work();
        this.compression = job.lz4() ? Lz4Compression.fastest() : null;
        long chunks = Math.max(job.window(), (long) READ_WINDOW * job.executors());
        this.pool = ChunkPool.builder()
                .chunkBytes(job.chunkBytes())
                .budgetBytes(chunks * job.chunkBytes())
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

    @Override
    public Sender sender(GatheringByteChannel channel, Meter meter) {
        return new ToSink(ChannelSink.connection(channel), meter);
    }

    /** Writes each result into a file of its own. */
    Sender fileSender(String prefix, Meter meter) {
        return new Sender() {
            @Override
            public void send(int task) throws IOException {
                try (FileSink file = FileSink.create(Job.resultFile(prefix, task))) {
                    TailraceCarrier.this.send(task, file, meter);
                }
            }

            @Override
            public void close() {}
        };
    }

    private final class ToSink implements Sender {

        private final FrameSink sink;
        private final Meter meter;

        ToSink(FrameSink sink, Meter meter) {
            this.sink = sink;
            this.meter = meter;
        }

        @Override
        public void send(int task) throws IOException {
            TailraceCarrier.this.send(task, sink, meter);
        }

        @Override
        public void close() throws IOException {
            sink.close();
        }
    }

    private void send(int task, FrameSink sink, Meter meter) throws IOException {
        long start = System.nanoTime();
        try (ResultWriter writer = encoder.open(new ResultId("collect", 1, task, 0), work.codecId(), sink)) {
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

    @Override
    public void receive(ReadableByteChannel channel, Gathering gathering, Meter meter) throws IOException {
        try (ResultReader reader = ResultReader.builder(pool)
                .window(READ_WINDOW)
                .limits(LIMITS)
                .compression(compression)
                .open(channel)) {
            while (reader.nextResult()) {
                Answer answer = gathering.fold(reader.codecId(), reader.payload());
                TaskMetrics metrics = TaskMetrics.read(reader.trailer());
                ResultSummary summary = reader.finish(); // until here nothing is certain
                gathering.complete(reader.id().task(), answer, metrics);
                meter.addWireBytes(summary.wireBytes());
                meter.liveHeap().lookNowAndThen();
            }
        }
    }

    @Override
    public long liveBytes() {
        return pool.liveBytes();
    }

    @Override
    public long peakLiveBytes() {
        return pool.peakLiveBytes();
    }

    /** A chunk that is not back by now is a leak, and the pool says whose. */
    @Override
    public void close() {
        sending.shutdown();
        pool.close();
    }
}
