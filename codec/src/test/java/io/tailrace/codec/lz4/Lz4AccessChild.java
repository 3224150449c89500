// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Carries a compressed result, then says which LZ4 did it and how many bytes came back right. */
final class Lz4AccessChild {

    private Lz4AccessChild() {}

    public static void main(String[] args) throws IOException {
        Lz4Compression lz4 = args[0].equals("java") ? Lz4Compression.java() : Lz4Compression.fastest();
        byte[] raw = Samples.HALF.bytes(1_000_000, 1);
        ExecutorService sending = Executors.newSingleThreadExecutor();
        try (ChunkPool pool = ChunkPool.builder().build()) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .compression(lz4)
                    .sendingOn(sending)
                    .build();
            try (ResultWriter writer = encoder.open(new ResultId("job", 0, 0, 0), "bytes/1", sink)) {
                writer.payload().writeBytes(raw, 0, raw.length);
                writer.finish();
            }
            try (ResultReader reader =
                    ResultReader.builder(pool).compression(lz4).open(sink.openChannel())) {
                reader.nextResult();
                byte[] back = reader.payload().readByteArray(raw.length);
                long payload = reader.finish().payloadBytes();
                System.out.println(lz4.implementation() + " " + (Arrays.equals(raw, back) ? payload : -1));
            }
        } finally {
            sending.shutdown();
        }
    }
}
