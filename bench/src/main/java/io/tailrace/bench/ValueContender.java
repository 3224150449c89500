// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import io.tailrace.codec.Codec;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;

/**
 * One way to write and read typed values. Each streams: whatever the size of a result, it holds about 64 KiB of bytes. Each
 * knows the classes beforehand, follows no references and has read its own bytes back before a round begins.
 */
final class ValueContender<E> implements AutoCloseable {

    private static final int BUFFER_BYTES = 64 << 10;

    private interface Format<E> extends AutoCloseable {

        /** Writes a result and drops its bytes, which it counts. */
        long encode(List<E> result) throws IOException;

        byte[] bytes(List<E> result) throws IOException;

        List<E> decode(byte[] bytes, int count) throws IOException;

        @Override
        void close();
    }

    private final Values<E> values;
    private final Format<E> format;
    private final List<byte[]> encoded = new ArrayList<>();

    private ValueContender(Values<E> values, Format<E> format) throws IOException {
        this.values = values;
        this.format = format;
        for (List<E> result : values.results()) {
            byte[] bytes = format.bytes(result);
            if (!format.decode(bytes, result.size()).equals(result)) {
                throw new IllegalStateException(format.getClass().getSimpleName() + " reads something else of "
                        + values.type().getSimpleName());
            }
            encoded.add(bytes);
        }
    }

    static <E> ValueContender<E> tailrace(Values<E> values) throws IOException {
        return new ValueContender<>(values, new Tailrace<>(values.type()));
    }

    static <E> ValueContender<E> kryo(Values<E> values) throws IOException {
        return new ValueContender<>(values, new Kryo5<>(values.type()));
    }

    static <E> ValueContender<E> fory(Values<E> values) throws IOException {
        return new ValueContender<>(values, new ForyEach<>(values.type()));
    }

    /** Of all results. */
    long encode() throws IOException {
        long bytes = 0;
        for (List<E> result : values.results()) {
            bytes += format.encode(result);
        }
        return bytes;
    }

    /** Of all results. */
    long decode() throws IOException {
        long count = 0;
        for (int i = 0; i < encoded.size(); i++) {
            count += format.decode(encoded.get(i), values.results().get(i).size())
                    .size();
        }
        return count;
    }

    @Override
    public void close() {
        format.close();
    }

    /** Whole results in frames, checksums on, by a derived codec. Decoding verifies them to the end. */
    private static final class Tailrace<E> implements Format<E> {
        private static final ResultId ID = new ResultId("bench", 1, 2, 0);

        private final ChunkPool pool = ChunkPool.builder().build();
        private final Encoding encoding = Encoding.plain();
        private final NullSink dropping = new NullSink();
        private final ValueCodec<List<E>> codec;

        Tailrace(Class<E> type) {
            Codec<E> element =
                    Derivation.builder(MethodHandles.lookup()).build().of(type);
            codec = Codecs.value(Codecs.list(element));
        }

        @Override
        public long encode(List<E> result) throws IOException {
            return encoding.encoder().encode(ID, codec, result, dropping).wireBytes();
        }

        @Override
        public byte[] bytes(List<E> result) throws IOException {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            encoding.encoder().encode(ID, codec, result, sink);
            return sink.toByteArray();
        }

        @Override
        public List<E> decode(byte[] bytes, int count) throws IOException {
            try (ResultReader reader = ResultReader.builder(pool).open(ByteBuffer.wrap(bytes))) {
                reader.nextResult();
                List<E> result = codec.decode(reader.payload());
                reader.finish();
                return result;
            }
        }

        @Override
        public void close() {
            encoding.close();
            pool.close();
        }
    }

    /** A list into a stream. Neither frames nor checksums. */
    private static final class Kryo5<E> implements Format<E> {
        private final Kryo kryo = new Kryo();
        private final Output out = new Output(OutputStream.nullOutputStream(), BUFFER_BYTES);

        Kryo5(Class<E> type) {
            kryo.setReferences(false);
            kryo.register(ArrayList.class);
            kryo.register(type);
        }

        @Override
        public long encode(List<E> result) {
            kryo.writeObject(out, result);
            long bytes = out.total();
            out.flush();
            out.reset();
            return bytes;
        }

        @Override
        public byte[] bytes(List<E> result) {
            Output growing = new Output(BUFFER_BYTES, -1);
            kryo.writeObject(growing, result);
            return growing.toBytes();
        }

        @Override
        @SuppressWarnings("unchecked") // encoded from such
        public List<E> decode(byte[] bytes, int count) {
            return (List<E>) kryo.readObject(new Input(bytes), ArrayList.class);
        }

        @Override
        public void close() {
            out.close();
        }
    }

    /**
     * Element by element into a buffer that is used again: how it is fastest, and how it holds bounded memory. Neither frames
     * nor checksums.
     */
    private static final class ForyEach<E> implements Format<E> {
        private final Fory fory;
        private final MemoryBuffer buffer = MemoryBuffer.newHeapBuffer(2 * BUFFER_BYTES);

        ForyEach(Class<E> type) {
            // Compatible, or for many languages, it would write of its class with every element; numbers of fixed width
            // are faster than compressed ones.
            fory = Fory.builder()
                    .withXlang(false)
                    .withCompatible(false)
                    .requireClassRegistration(true)
                    .withRefTracking(false)
                    .withNumberCompressed(false)
                    .build();
            if (type != String.class) {
                fory.register(type);
            }
        }

        @Override
        public long encode(List<E> result) {
            long bytes = 0;
            for (E element : result) {
                fory.serialize(buffer, element);
                if (buffer.writerIndex() > BUFFER_BYTES) {
                    bytes += buffer.writerIndex();
                    buffer.writerIndex(0);
                }
            }
            bytes += buffer.writerIndex();
            buffer.writerIndex(0);
            return bytes;
        }

        @Override
        public byte[] bytes(List<E> result) {
            MemoryBuffer growing = MemoryBuffer.newHeapBuffer(BUFFER_BYTES);
            for (E element : result) {
                fory.serialize(growing, element);
            }
            return growing.getBytes(0, growing.writerIndex());
        }

        @Override
        @SuppressWarnings("unchecked") // encoded from such
        public List<E> decode(byte[] bytes, int count) {
            MemoryBuffer from = MemoryBuffer.fromByteArray(bytes);
            List<E> result = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                result.add((E) fory.deserialize(from));
            }
            return result;
        }

        @Override
        public void close() {
            // Its memory is the heap's.
        }
    }
}
