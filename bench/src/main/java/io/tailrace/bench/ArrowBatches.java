// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.arrow.ArrowCodecs;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;

/** Rows of {@link Workloads} as one batch of vectors, which is sent again and again: making vectors is not what is measured. */
final class ArrowBatches implements AutoCloseable {

    private final BufferAllocator allocator = new RootAllocator();
    private final VectorSchemaRoot root;
    private final int batches;

    ArrowBatches(int rows, int batches) {
        this.batches = batches;
        BigIntVector id = new BigIntVector("id", allocator);
        Float8Vector price = new Float8Vector("price", allocator);
        IntVector quantity = new IntVector("quantity", allocator);
        BigIntVector time = new BigIntVector("time", allocator);
        VarCharVector symbol = new VarCharVector("symbol", allocator);
        VarCharVector comment = new VarCharVector("comment", allocator);
        int at = 0;
        for (Workloads.Row row : Workloads.rows(rows)) {
            id.setSafe(at, row.id());
            price.setSafe(at, row.price());
            quantity.setSafe(at, row.quantity());
            time.setSafe(at, row.time());
            symbol.setSafe(at, row.symbol().getBytes(StandardCharsets.UTF_8));
            comment.setSafe(at, row.comment().getBytes(StandardCharsets.UTF_8));
            at++;
        }
        root = new VectorSchemaRoot(List.of(id, price, quantity, time, symbol, comment));
        root.setRowCount(rows);
    }

    BufferAllocator allocator() {
        return allocator;
    }

    /** As a source for the codec. */
    ArrowReader source() {
        int[] left = {batches};
        return source(() -> left[0]-- > 0);
    }

    /** As long as there shall be more. */
    ArrowReader source(BooleanSupplier more) {
        return ArrowCodecs.filled(root, same -> more.getAsBoolean());
    }

    /** By Arrow's own writer; returns the bytes. */
    long write(WritableByteChannel to) throws IOException {
        ArrowStreamWriter writer = new ArrowStreamWriter(root, null, to);
        writer.start();
        for (int i = 0; i < batches; i++) {
            writer.writeBatch();
        }
        writer.end();
        return writer.bytesWritten();
    }

    @Override
    public void close() {
        root.close();
        allocator.close();
    }
}
