// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.Serializer;

/**
 * A partition's elements by the application's serializer, as many at a time as make 32 KiB.
 *
 * @param account what their bytes are counted in
 */
record ElementBatches(Serializer serializer, StageTotals.Account account)
        implements ValueCodec<Iterator<List<Object>>> {

    private static final int BATCH_BYTES = 32 << 10;
    private static final int BATCH_ELEMENTS = 1024;

    @Override
    public String id() {
        return Sending.ELEMENTS;
    }

    @Override
    public void encode(Iterator<List<Object>> batches, WireOutput out) {
        throw new UnsupportedOperationException("executors write element by element");
    }

    @Override
    public Iterator<List<Object>> decode(WireInput in) throws IOException {
        CountedInput counted = new CountedInput(in.asInputStream(), account);
        DeserializationStream stream = serializer.newInstance().deserializeStream(counted);
        return new Batches(scala.jdk.javaapi.CollectionConverters.asJava(stream.asIterator()), counted);
    }

    private record Batches(Iterator<Object> elements, CountedInput from) implements Iterator<List<Object>> {

        @Override
        public boolean hasNext() {
            try {
                return elements.hasNext();
            } catch (Throwable e) {
                throw told(e);
            }
        }

        @Override
        public List<Object> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            long begin = from.count();
            List<Object> batch = new ArrayList<>();
            try {
                do {
                    batch.add(elements.next());
                } while (from.count() - begin < BATCH_BYTES && batch.size() < BATCH_ELEMENTS && elements.hasNext());
            } catch (Throwable e) {
                throw told(e);
            }
            return batch;
        }

        private RuntimeException told(Throwable thrown) {
            Throwable failure = from.failure();
            if (failure != null || thrown instanceof VirtualMachineError) {
                throw Rethrow.as(failure == null ? thrown : failure);
            }
            return new UndecodableValueException(thrown);
        }
    }
}
