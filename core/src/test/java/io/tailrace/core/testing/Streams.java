// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;

/** Whole streams of {@link Sample}s as our own encoder writes them. */
public final class Streams {

    private Streams() {}

    public static ResultId id(int task) {
        return new ResultId("job", 1, task, 0);
    }

    /** So many results of so many longs each; the sample's seed is its task. */
    public static byte[] of(ChunkPool pool, int results, int longs) throws IOException {
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        for (int i = 0; i < results; i++) {
            encoder.encode(id(i), Sample.CODEC, new Sample(i, longs), sink);
        }
        return sink.toByteArray();
    }
}
