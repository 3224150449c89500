// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.lz4.Lz4Compression;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** One pool, one encoder, and each way to write a workload as one whole result. Checksums are on, as always. */
final class Encoding implements AutoCloseable {

    private static final ResultId ID = new ResultId("bench", 1, 2, 0);

    private final ChunkPool pool;
    private final ResultEncoder encoder;
    private final int window;

    private Encoding(int chunkBytes, int window, @Nullable BlockCompression compression, @Nullable Executor sendingOn) {
        this.window = window;
        pool = ChunkPool.builder().chunkBytes(chunkBytes).build();
        encoder = ResultEncoder.builder(pool)
                .window(window)
                .compression(compression)
                .sendingOn(sendingOn)
                .build();
    }

    static Encoding plain() {
        return new Encoding(ChunkPool.DEFAULT_CHUNK_BYTES, 8, null, null);
    }

    static Encoding lz4() {
        return new Encoding(ChunkPool.DEFAULT_CHUNK_BYTES, 8, Lz4Compression.fastest(), null);
    }

    /** Synchronous where the executor is null. */
    static Encoding of(int chunkBytes, int window, @Nullable Executor sendingOn) {
        return new Encoding(chunkBytes, window, null, sendingOn);
    }

    private interface Body {
        void write(WireOutput out) throws IOException;
    }

    private long result(FrameSink sink, Body body) throws IOException {
        try (ResultWriter writer = encoder.open(ID, "bench/1", sink)) {
            body.write(writer.payload());
            return writer.finish().wireBytes();
        }
    }

    long longs(long[] values, FrameSink sink) throws IOException {
        return result(sink, out -> out.writeLongs(values, 0, values.length));
    }

    long longsOneByOne(long[] values, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (long value : values) {
                out.writeLong(value);
            }
        });
    }

    long doubles(double[] values, FrameSink sink) throws IOException {
        return result(sink, out -> out.writeDoubles(values, 0, values.length));
    }

    /** Each with its length in front, copied into the chunks. */
    long blobs(byte[][] blobs, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (byte[] blob : blobs) {
                out.writeVarInt(blob.length);
                out.writeBytes(blob, 0, blob.length);
            }
        });
    }

    /** Each with its length in front, by reference. */
    long blobsOutOfBand(byte[][] blobs, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (byte[] blob : blobs) {
                out.writeVarInt(blob.length);
                out.writeOutOfBand(blob, 0, blob.length);
            }
        });
    }

    long rows(Workloads.Row[] rows, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (Workloads.Row row : rows) {
                out.writeLong(row.id());
                out.writeDouble(row.price());
                out.writeInt(row.quantity());
                out.writeLong(row.time());
                out.writeUtf8(row.symbol());
                out.writeUtf8(row.comment());
            }
        });
    }

    /** A result of one write: what a result costs besides its bytes. */
    long small(byte[] payload, FrameSink sink) throws IOException {
        return result(sink, out -> out.writeBytes(payload, 0, payload.length));
    }

    /** Pieces of one array, each with its length in front, copied into the chunks. */
    long pieces(byte[] bytes, int pieceBytes, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (int at = 0; at < bytes.length; at += pieceBytes) {
                out.writeVarInt(pieceBytes);
                out.writeBytes(bytes, at, pieceBytes);
            }
        });
    }

    /** The same by reference; copied where they are below half a chunk. */
    long piecesOutOfBand(byte[] bytes, int pieceBytes, FrameSink sink) throws IOException {
        return result(sink, out -> {
            for (int at = 0; at < bytes.length; at += pieceBytes) {
                out.writeVarInt(pieceBytes);
                out.writeOutOfBand(bytes, at, pieceBytes);
            }
        });
    }

    int window() {
        return window;
    }

    ResultEncoder encoder() {
        return encoder;
    }

    @Override
    public void close() {
        pool.close();
    }
}
