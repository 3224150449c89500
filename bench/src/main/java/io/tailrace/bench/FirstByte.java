// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Encodes a value only until its first payload byte is with the sink; the rest is given up, outside the measurement. */
final class FirstByte implements AutoCloseable {

    private static final ResultId ID = new ResultId("bench", 1, 2, 0);

    /** So much is written between two looks at the sink. */
    private static final int RUN = 1_024;

    private final Encoding encoding;
    private final Arrival sink = new Arrival();

    FirstByte(@Nullable Executor sendingOn) {
        encoding = Encoding.of(ChunkPool.DEFAULT_CHUNK_BYTES, 8, sendingOn);
    }

    /** Returns the result, which the caller closes; a value below one chunk is finished, as only that sends it. */
    ResultWriter begin(long[] value) throws IOException {
        sink.arrived = false;
        ResultWriter writer = encoding.encoder().open(ID, "bench/1", sink);
        WireOutput out = writer.payload();
        for (int at = 0; at < value.length && !sink.arrived; at += RUN) {
            out.writeLongs(value, at, Math.min(RUN, value.length - at));
        }
        if (!sink.arrived) {
            writer.finish();
        }
        return writer;
    }

    @Override
    public void close() {
        encoding.close();
    }

    /** Notes that something has come: the first chunk already carries payload. */
    private static final class Arrival implements FrameSink {
        private volatile boolean arrived;

        @Override
        public void write(FrameBatch batch) {
            arrived = true;
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }
}
