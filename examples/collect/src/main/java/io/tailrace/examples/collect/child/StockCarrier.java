// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.WireOutput;
import io.tailrace.examples.collect.work.Answer;
import io.tailrace.examples.collect.work.Work;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ReadableByteChannel;

/**
 * The way results go today, after Spark 4.1.2: the task's value becomes value bytes; these and the metrics become the
 * bytes of an envelope by Java serialisation; these are written behind their length. The driver reads the whole
 * envelope, takes the value's bytes out of it, and the rows out of those.
 *
 * <p>Kinder than the original in three ways: rows go into value bytes as they are made, where Spark keeps the whole array of rows
 * beside them; the same flat row codec writes them, not Java serialisation; the driver folds rows one by one, where
 * Spark makes the array again. References that are no longer needed are dropped at once, as Spark does since 4.1.2.
 */
final class StockCarrier implements Carrier.OfChannels {

    private final Job job;
    private final Work work;
    private final HeldBytes held = new HeldBytes();

    StockCarrier(Job job) {
        this.job = job;
        this.work = job.work();
    }

    /** What the envelope carries beside the value. */
    private record Head(int task, String codecId, TaskMetrics metrics, long valueBytes) implements Serializable {}

    @Override
    public Sender sender(GatheringByteChannel channel, Meter meter) {
        return new Sender() {
            @Override
            public void send(int task) throws IOException {
                run(task, channel, meter);
            }

            @Override
            public void close() {}
        };
    }

    private void run(int task, GatheringByteChannel channel, Meter meter) throws IOException {
        long start = System.nanoTime();
        try (ByteHoard value = new ByteHoard(held);
                ByteHoard envelope = new ByteHoard(held)) {
            long rows = serialise(task, value, meter);
            double scale = job.text() == null ? job.scale() : 0;
            TaskMetrics metrics = new TaskMetrics(
                    job.tasks(),
                    scale,
                    rows,
                    System.nanoTime() - start,
                    held.peak(),
                    meter.liveHeap().largest());
            try (ObjectOutputStream out = new ObjectOutputStream(envelope.asOutputStream())) {
                out.writeObject(new Head(task, work.codecId(), metrics, value.length()));
                value.writeTo(out);
            }
            meter.liveHeap().lookNowAndThen(); // value and envelope are both alive: the fattest moment
            meter.addPayloadBytes(value.length());
            value.clear();
            Report.FIRST_BYTE.say((System.nanoTime() - start) / 1_000);
            send(envelope, channel);
            meter.addWireBytes(Long.BYTES + envelope.length());
        }
    }

    private long serialise(int task, ByteHoard value, Meter meter) throws IOException {
        WireOutput out = value.asWireOutput();
        long[] rows = {0};
        work.produce(task, out, more -> {
            rows[0] += more;
            meter.addRows(more);
        });
        ByteBuf last = out.take();
        if (last != null) {
            value.complete(last);
        }
        return rows[0];
    }

    private static void send(ByteHoard envelope, GatheringByteChannel channel) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES).putLong(0, envelope.length());
        while (length.hasRemaining()) {
            channel.write(length);
        }
        envelope.writeTo(channel);
    }

    @Override
    public void receive(ReadableByteChannel channel, Gathering gathering, Meter meter) throws IOException {
        for (long length = readLength(channel); length >= 0; length = readLength(channel)) {
            meter.addWireBytes(Long.BYTES + length);
            try (ByteHoard value = new ByteHoard(held)) {
                Head head = open(channel, length, value, meter);
                Answer answer = gathering.fold(head.codecId(), value.asWireInput());
                gathering.complete(head.task(), answer, head.metrics());
            } catch (ClassNotFoundException e) {
                throw new IOException(e);
            }
        }
    }

    private Head open(ReadableByteChannel channel, long length, ByteHoard value, Meter meter)
            throws IOException, ClassNotFoundException {
        try (ByteHoard envelope = new ByteHoard(held)) {
            envelope.readFrom(channel, length);
            try (ObjectInputStream in = new ObjectInputStream(envelope.asInputStream())) {
                Head head = (Head) in.readObject();
                value.readFrom(in, head.valueBytes());
                meter.liveHeap().lookNowAndThen(); // envelope and value are both alive
                return head;
            }
        }
    }

    /** The next envelope's length, or -1 at the connection's end. Nothing here tells a lost connection from a finished one. */
    private static long readLength(ReadableByteChannel channel) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES);
        while (length.hasRemaining()) {
            if (channel.read(length) < 0) {
                if (length.position() == 0) {
                    return -1;
                }
                throw new EOFException("the connection ended inside a length");
            }
        }
        return length.getLong(0);
    }

    @Override
    public long liveBytes() {
        return held.now();
    }

    @Override
    public long peakLiveBytes() {
        return held.peak();
    }

    @Override
    public void close() {}
}
