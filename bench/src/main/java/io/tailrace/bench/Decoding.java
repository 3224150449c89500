// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.lz4.Lz4Compression;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;

/** One pool, one stream in memory, and each way to read a workload back from it, into objects that are there already. */
final class Decoding implements AutoCloseable {

    private final ChunkPool pool = ChunkPool.builder().build();
    private final byte[] stream;

    private interface Writing {
        void write(MemorySink sink) throws IOException;
    }

    private interface Body {
        long read(WireInput in) throws IOException;
    }

    private Decoding(Writing writing) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        writing.write(sink);
        stream = sink.toByteArray();
    }

    static Decoding ofLongs(long[] values) throws IOException {
        return new Decoding(sink -> {
            try (Encoding encoding = Encoding.plain()) {
                encoding.longs(values, sink);
            }
        });
    }

    static Decoding ofBlobs(byte[][] blobs) throws IOException {
        return new Decoding(sink -> {
            try (Encoding encoding = Encoding.plain()) {
                encoding.blobs(blobs, sink);
            }
        });
    }

    static Decoding ofBlobsLz4(byte[][] blobs) throws IOException {
        return new Decoding(sink -> {
            try (Encoding encoding = Encoding.lz4()) {
                encoding.blobs(blobs, sink);
            }
        });
    }

    static Decoding ofRows(Workloads.Row[] rows) throws IOException {
        return new Decoding(sink -> {
            try (Encoding encoding = Encoding.plain()) {
                encoding.rows(rows, sink);
            }
        });
    }

    private long result(Body body) throws IOException {
        try (ResultReader reader =
                ResultReader.builder(pool).compression(Lz4Compression.fastest()).open(new ArrayChannel(stream))) {
            reader.nextResult();
            long sum = body.read(reader.payload());
            return sum + reader.finish().payloadBytes();
        }
    }

    long longs(long[] into) throws IOException {
        return result(in -> {
            in.readLongs(into, 0, into.length);
            return into[into.length - 1];
        });
    }

    long blobs(byte[] into) throws IOException {
        return result(in -> {
            long sum = 0;
            while (!in.exhausted()) {
                int length = in.readVarInt();
                in.readBytes(into, 0, length);
                sum += into[0];
            }
            return sum;
        });
    }

    long rows(Workloads.Row[] into) throws IOException {
        return result(in -> {
            for (int i = 0; i < into.length; i++) {
                into[i] = new Workloads.Row(
                        in.readLong(), in.readDouble(), in.readInt(), in.readLong(), in.readUtf8(), in.readUtf8());
            }
            return into.length;
        });
    }

    @Override
    public void close() {
        pool.close();
    }
}
