// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;

/** The README's first code: {@link ReadmeTest} compares the lines between the marks with it, and runs them. */
final class HelloResult {

    private HelloResult() {}

    static long run() throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        long sum = 0;
        // README begin
        ChunkPool pool = ChunkPool.builder().budgetBytes(16 << 20).build(); // one a process
        ResultEncoder encoder = ResultEncoder.builder(pool).window(8).build(); // at most 8 chunks of 64 KiB a result
        try (ResultWriter writer = encoder.open(new ResultId("job", 1, 42, 0), "longs/1", sink)) {
            WireOutput out = writer.payload(); // writes in the frame itself
            for (long i = 0; i < 1_000_000; i++) out.writeLong(i);
            writer.trailer().writeUtf8("rows=1000000"); // what is known only now
            writer.finish(); // without it the result has failed
        }
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            while (reader.nextResult()) {
                WireInput in = reader.payload(); // hands out values while frames arrive
                while (!in.exhausted()) sum += in.readLong();
                reader.finish(); // totals and digest agree: only now it is complete
            }
        }
        // README end
        pool.close();
        return sum;
    }
}
