// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Objects;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;

/** A whole payload of batches, written and read one at a time. */
final class BatchesCodec implements ValueCodec<ArrowReader> {

    private final BufferAllocator allocator;

    BatchesCodec(BufferAllocator allocator) {
        this.allocator = Objects.requireNonNull(allocator, "allocator");
    }

    @Override
    public String id() {
        return "arrow-stream/1";
    }

    @Override
    public void encode(ArrowReader batches, WireOutput out) throws IOException {
        // What the batches' own reader throws is thrown on as it is, so it is asked outside the writer's care.
        try (BatchWriter writer = BatchWriter.begin(batches.getVectorSchemaRoot(), batches, out)) {
            while (batches.loadNextBatch()) {
                writer.write();
            }
            writer.finish();
        }
    }

    @Override
    public ArrowReader decode(WireInput in) throws IOException {
        ArrivingBatches batches = new ArrivingBatches(in, allocator);
        try {
            batches.getVectorSchemaRoot();
            return batches;
        } catch (Throwable e) {
            throw ForeignErrors.told(e, "schema", in);
        }
    }
}
