// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A process that sends one large result to a {@link LargeReceiver}. */
final class LargeSender {

    static final int CHUNK = 64 << 10;
    static final int WINDOW = 8;
    static final Sample VALUE = new Sample(4_096, 0);

    private LargeSender() {}

    public static void main(String[] args) throws Exception {
        Path port = Path.of(args[0]);
        long longs = Long.parseLong(args[1]) / Long.BYTES;
        ExecutorService sending = Boolean.parseBoolean(args[2]) ? Executors.newSingleThreadExecutor() : null;
        while (!Files.exists(port)) {
            Thread.sleep(5);
        }
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(Files.readString(port)));
        long start = System.nanoTime();
        ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(64L * CHUNK).build();
        ResultEncoder encoder =
                ResultEncoder.builder(pool).window(WINDOW).sendingOn(sending).build();
        ResultSummary summary;
        try (ChannelSink sink = ChannelSink.connection(SocketChannel.open(address));
                ResultWriter writer = encoder.open(new ResultId("large", 1, 1, 0), "longs/1", sink)) {
            WireOutput out = writer.payload();
            for (long i = 0; i < longs; i++) {
                out.writeLong(VALUE.at(i));
            }
            writer.trailer().writeLong(longs);
            summary = writer.finish();
        }
        if (sending != null) {
            sending.shutdown();
        }
        report(summary.payloadBytes(), pool, start);
    }

    static void report(long payload, ChunkPool pool, long start) throws IOException {
        long nanos = System.nanoTime() - start;
        pool.close();
        System.gc();
        System.out.println("payload=" + payload);
        System.out.println("peakLive=" + pool.peakLiveBytes());
        System.out.println("heap="
                + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        for (BufferPoolMXBean buffers : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            System.out.println(buffers.getName() + "=" + buffers.getMemoryUsed());
        }
        System.out.println("millis=" + nanos / 1_000_000);
    }
}
