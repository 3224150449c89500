// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.AbstractList;
import java.util.Iterator;
import java.util.List;
import java.util.RandomAccess;
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

    /** The same of values, whose iterator ends when the first byte has come. */
    <E> ResultWriter beginEach(ValueCodec<Iterator<E>> codec, List<E> values) throws IOException {
        return begin(codec, new UntilArrival<>(values.iterator()));
    }

    /** Whether the first byte of the last result has come. */
    boolean arrived() {
        return sink.arrived;
    }

    /** The same of a value that ends when the first byte has {@linkplain #arrived come}. */
    <T> ResultWriter begin(ValueCodec<T> codec, T value) throws IOException {
        sink.arrived = false;
        ResultWriter writer = encoding.encoder().open(ID, codec.id(), sink);
        codec.encode(value, writer.payload());
        if (!sink.arrived) {
            writer.finish();
        }
        return writer;
    }

    /** The same of a list, which breaks off when the first byte has come; that it breaks is in the time. */
    <E> ResultWriter beginList(ValueCodec<List<E>> codec, List<E> values) throws IOException {
        sink.arrived = false;
        ResultWriter writer = encoding.encoder().open(ID, codec.id(), sink);
        try {
            codec.encode(new BrokenOff<>(values), writer.payload());
            writer.finish();
        } catch (IOException e) {
            if (!sink.arrived) {
                throw e;
            }
        }
        return writer;
    }

    @Override
    public void close() {
        encoding.close();
    }

    private final class UntilArrival<E> implements Iterator<E> {
        private final Iterator<E> values;

        UntilArrival(Iterator<E> values) {
            this.values = values;
        }

        @Override
        public boolean hasNext() {
            return !sink.arrived && values.hasNext();
        }

        @Override
        public E next() {
            return values.next();
        }
    }

    private final class BrokenOff<E> extends AbstractList<E> implements RandomAccess {
        private final List<E> values;

        BrokenOff(List<E> values) {
            this.values = values;
        }

        @Override
        public E get(int index) {
            if (sink.arrived) {
                throw new ArrivedException();
            }
            return values.get(index);
        }

        @Override
        public int size() {
            return values.size();
        }
    }

    /** Without a stack trace, whose cost is not the encoder's. */
    private static final class ArrivedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        ArrivedException() {
            super("the first byte has come", null, false, false);
        }
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
