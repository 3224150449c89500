// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FileSink;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.examples.collect.work.Answer;
import java.io.IOException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The library's way over plain sockets and files: one result behind another, and the driver decodes rows out of the
 * chunks as they arrive.
 *
 * <p><b>Threads.</b> One encoding thread sends; any number of decoding threads receive, each its own connection.
 */
final class TailraceCarrier implements Carrier.OfChannels {

    private final Encoding encoding;
    private final ExecutorService sending = Executors.newCachedThreadPool();

    TailraceCarrier(Job job) {
        this.encoding = new Encoding(job, Child.Role.EXECUTOR, sending);
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
        encoding.run(task, meter, (id, codecId) -> encoding.encoder().open(id, codecId, sink));
    }

    @Override
    public void receive(ReadableByteChannel channel, Gathering gathering, Meter meter) throws IOException {
        try (ResultReader reader = ResultReader.builder(encoding.pool())
                .window(Job.READ_WINDOW)
                .limits(Gathering.LIMITS)
                .compression(encoding.compression())
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
        return encoding.pool().liveBytes();
    }

    @Override
    public long peakLiveBytes() {
        return encoding.pool().peakLiveBytes();
    }

    /** A chunk that is not back by now is a leak, and the pool says whose. */
    @Override
    public void close() {
        sending.shutdown();
        encoding.pool().close();
    }
}
