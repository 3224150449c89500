// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The README's code of typed values: {@link ReadmeTest} compares the lines between the marks with it, and runs them. */
final class HelloValues {

    // README begin
    record Trade(
            long id, double price, String symbol, @Nullable String note) {}

    static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();
    static final ValueCodec<Iterator<Trade>> TRADES = Codecs.each(DERIVATION.of(Trade.class)); // made once
    // README end

    private HelloValues() {}

    static double run() throws IOException {
        List<Trade> list = List.of(new Trade(1, 2.5, "ABC", null), new Trade(2, 4.0, "DEF", "late"));
        ChunkPool pool = ChunkPool.builder().build();
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        ResultId id = new ResultId("job", 1, 42, 0);
        double sum = 0;
        // README begin
        encoder.encode(id, TRADES, list.iterator(), sink); // each element straight into the frame
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            reader.nextResult();
            Iterator<Trade> trades = reader.decode(TRADES);
            while (trades.hasNext()) sum += trades.next().price(); // while frames arrive
            reader.finish();
        }
        // README end
        pool.close();
        return sum;
    }
}
