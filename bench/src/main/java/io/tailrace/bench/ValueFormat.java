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
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;

/**
 * One way to write and read typed values. Each streams: whatever the size of a result, it holds about 64 KiB of bytes. Each
 * but Java's own knows the classes beforehand and follows no references.
 */
abstract sealed class ValueFormat<E> implements AutoCloseable {

    private static final int BUFFER_BYTES = 64 << 10;

    static <E> ValueFormat<E> named(String name, Class<E> type) {
        return switch (name) {
            case "Tailrace" -> tailrace(type);
            case "Kryo" -> kryo(type);
            case "Kryo by hand" -> kryoByHand(type);
            case "Fory" -> fory(type);
            case "ObjectOutputStream" -> new JavaObjects<>();
            default -> throw new IllegalArgumentException(name);
        };
    }

    static <E> ValueFormat<E> tailrace(Class<E> type) {
        return new Tailrace<>(type);
    }

    static <E> ValueFormat<E> kryo(Class<E> type) {
        return new Kryo5<>(kryo -> kryo.register(type));
    }

    /** With serializers written by hand: its own one of records goes by reflection, and boxes every number. */
    static <E> ValueFormat<E> kryoByHand(Class<E> type) {
        return new Kryo5<>(kryo -> KryoSerializers.register(kryo, type));
    }

    static <E> ValueFormat<E> fory(Class<E> type) {
        return new ForyEach<>(type);
    }

    /** Writes a result and drops its bytes, which it counts. */
    abstract long encode(List<E> result) throws IOException;

    /** Writes a result into memory that grows. */
    abstract byte[] bytes(List<E> result) throws IOException;

    abstract List<E> decode(byte[] bytes, int count) throws IOException;

    @Override
    public void close() {
        // Its memory is the heap's.
    }

    /** Whole results in frames, checksums on, by a derived codec. Decoding verifies them to the end. */
    private static final class Tailrace<E> extends ValueFormat<E> {
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
        long encode(List<E> result) throws IOException {
            return encoding.encoder().encode(ID, codec, result, dropping).wireBytes();
        }

        @Override
        byte[] bytes(List<E> result) throws IOException {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            encoding.encoder().encode(ID, codec, result, sink);
            return sink.toByteArray();
        }

        @Override
        List<E> decode(byte[] bytes, int count) throws IOException {
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
    private static final class Kryo5<E> extends ValueFormat<E> {
        private final Kryo kryo = new Kryo();
        private final Output out = new Output(OutputStream.nullOutputStream(), BUFFER_BYTES);

        Kryo5(Consumer<Kryo> registration) {
            kryo.setReferences(false);
            kryo.register(ArrayList.class);
            registration.accept(kryo);
        }

        @Override
        long encode(List<E> result) {
            kryo.writeObject(out, result);
            long bytes = out.total();
            out.flush();
            out.reset();
            return bytes;
        }

        @Override
        byte[] bytes(List<E> result) {
            Output growing = new Output(BUFFER_BYTES, -1);
            kryo.writeObject(growing, result);
            return growing.toBytes();
        }

        @Override
        @SuppressWarnings("unchecked") // encoded from such
        List<E> decode(byte[] bytes, int count) {
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
    private static final class ForyEach<E> extends ValueFormat<E> {
        private final Fory fory;
        private final MemoryBuffer buffer = MemoryBuffer.newHeapBuffer(2 * BUFFER_BYTES);

        ForyEach(Class<E> type) {
            fory = SerializerRatios.fory(type);
        }

        @Override
        long encode(List<E> result) {
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
        byte[] bytes(List<E> result) {
            MemoryBuffer growing = MemoryBuffer.newHeapBuffer(BUFFER_BYTES);
            for (E element : result) {
                fory.serialize(growing, element);
            }
            return growing.getBytes(0, growing.writerIndex());
        }

        @Override
        @SuppressWarnings("unchecked") // encoded from such
        List<E> decode(byte[] bytes, int count) {
            MemoryBuffer from = MemoryBuffer.fromByteArray(bytes);
            List<E> result = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                result.add((E) fory.deserialize(from));
            }
            return result;
        }
    }

    /** Java's own serialization, which streams too, but remembers every object that it wrote. */
    private static final class JavaObjects<E> extends ValueFormat<E> {

        @Override
        long encode(List<E> result) throws IOException {
            return bytes(result).length;
        }

        @Override
        byte[] bytes(List<E> result) throws IOException {
            ByteArrayOutputStream growing = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(growing)) {
                out.writeObject(result);
            }
            return growing.toByteArray();
        }

        @Override
        @SuppressWarnings("unchecked") // encoded from such
        List<E> decode(byte[] bytes, int count) throws IOException {
            try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
                return (List<E>) in.readObject();
            } catch (ClassNotFoundException e) {
                throw new IOException(e);
            }
        }
    }
}
