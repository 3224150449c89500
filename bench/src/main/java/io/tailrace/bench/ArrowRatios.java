// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.codec.arrow.ArrowCodecs;
import io.tailrace.core.wire.ValueCodec;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.CRC32C;
import org.apache.arrow.vector.ipc.ArrowReader;

/** The group of {@link Ratios} that asks what Arrow's record batches lose by going in frames with checksums. */
final class ArrowRatios {

    private ArrowRatios() {}

    static void print(Pace pace, int mebibytes) throws Exception {
        RatioTable table = new RatioTable(pace, "MiB", 0);
        NullSink drop = new NullSink();
        List<ArrowBatches> open = new ArrayList<>();
        ExecutorService sending = Executors.newCachedThreadPool();
        try (Loopback over = new Loopback();
                Encoding plain = Encoding.plain();
                Encoding ahead = Encoding.of(64 << 10, 32, sending)) {
            for (int rows : new int[] {4_096, 65_536, 262_144}) {
                int batches = Math.max(1, mebibytes * (1 << 20) / (rows * 64));
                ArrowBatches source = new ArrowBatches(rows, batches);
                open.add(source);
                long bytes = source.write(new Dropping());
                table.amount(bytes / (double) (1 << 20));
                ValueCodec<ArrowReader> codec = ArrowCodecs.batches(source.allocator());
                String name = String.format("batches of %,d rows, %,d KiB", rows, (bytes / batches) >> 10);
                Summing summing = new Summing();
                table.floor(name + ", ArrowStreamWriter, dropped", () -> source.write(new Dropping()));
                table.floor(name + ", ArrowStreamWriter, summed", () -> source.write(summing));
                table.contender(
                        name + ", in frames, dropped",
                        () -> plain.encoder()
                                .encode(TypedResult.ID, codec, source.source(), drop)
                                .wireBytes(),
                        name + ", ArrowStreamWriter, summed");
                table.floor(
                        name + ", ArrowStreamWriter over loopback",
                        () -> source.write(over.channel()) + over.awaitReceived());
                table.contender(
                        name + ", in frames over loopback",
                        () -> plain.encoder()
                                        .encode(TypedResult.ID, codec, source.source(), over.sink())
                                        .wireBytes()
                                + over.awaitReceived(),
                        name + ", ArrowStreamWriter over loopback");
                table.contender(
                        name + ", in frames over loopback, threaded, window 32",
                        () -> ahead.encoder()
                                        .encode(TypedResult.ID, codec, source.source(), over.sink())
                                        .wireBytes()
                                + over.awaitReceived(),
                        name + ", ArrowStreamWriter over loopback");
            }
            table.run("Arrow record batches");
        } finally {
            sending.shutdown();
            open.forEach(ArrowBatches::close);
        }
    }

    private static class Dropping implements WritableByteChannel {

        @Override
        public int write(ByteBuffer source) {
            int length = source.remaining();
            source.position(source.limit());
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    /** Does what frames do besides: their checksum. */
    private static final class Summing extends Dropping {
        private final CRC32C checksum = new CRC32C();

        @Override
        public int write(ByteBuffer source) {
            int length = source.remaining();
            checksum.update(source);
            return length;
        }
    }
}
