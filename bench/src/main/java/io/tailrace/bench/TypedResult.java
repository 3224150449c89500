// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;

/** A typed value and its codec, to be sent as one result. */
record TypedResult<T>(ValueCodec<T> codec, T value) {

    static final ResultId ID = new ResultId("bench", 1, 2, 0);

    /** A workload of {@link Values}, as a list. */
    static TypedResult<?> list(String workload, int count) {
        return list(Values.named(workload, count));
    }

    private static <E> TypedResult<?> list(Values<E> values) {
        Derivation derivation = Derivation.builder(MethodHandles.lookup()).build();
        return new TypedResult<>(
                Codecs.value(Codecs.list(derivation.of(values.type()))),
                values.results().get(0));
    }

    static TypedResult<?> longs(int mebibytes) {
        return new TypedResult<>(Codecs.value(Codecs.LONGS), Workloads.longs(mebibytes));
    }

    ResultSummary send(Encoding by, FrameSink to) throws IOException {
        return by.encoder().encode(ID, codec, value, to);
    }

    byte[] payload() throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (Encoding plain = Encoding.plain();
                ChunkPool pool = ChunkPool.builder().build()) {
            send(plain, sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                reader.nextResult();
                byte[] payload = reader.payload().asInputStream().readAllBytes();
                reader.finish();
                return payload;
            }
        }
    }
}
