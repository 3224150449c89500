// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.WireInput;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A process that reads one large result, compares every byte, and keeps none. */
final class LargeReceiver {

    static final int WINDOW = 4;

    private LargeReceiver() {}

    public static void main(String[] args) throws Exception {
        Path port = Path.of(args[0]);
        ChunkPool pool = ChunkPool.builder()
                .chunkBytes(LargeSender.CHUNK)
                .budgetBytes(64L * LargeSender.CHUNK)
                .build();
        long start = System.nanoTime();
        ResultSummary summary;
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            Path written = port.resolveSibling("port.tmp");
            Files.writeString(written, Integer.toString(server.socket().getLocalPort()));
            Files.move(written, port, StandardCopyOption.ATOMIC_MOVE);
            try (SocketChannel channel = server.accept();
                    ResultReader reader =
                            ResultReader.builder(pool).window(WINDOW).open(channel)) {
                reader.nextResult();
                WireInput in = reader.payload();
                long longs = 0;
                while (!in.exhausted()) {
                    if (in.readLong() != LargeSender.VALUE.at(longs)) {
                        throw new AssertionError("long " + longs + " differs");
                    }
                    longs++;
                }
                if (reader.trailer().readLong() != longs) {
                    throw new AssertionError("the trailer disagrees with " + longs);
                }
                summary = reader.finish();
                if (reader.nextResult()) {
                    throw new AssertionError("a second result");
                }
            }
        }
        LargeSender.report(summary.payloadBytes(), pool, start);
    }
}
