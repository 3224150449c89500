// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.codec.elements.ArrivingElements;
import io.tailrace.codec.elements.ForeignErrors;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Codecs by a serializer of the caller's own: whatever writes to an {@link java.io.OutputStream}, a {@link java.io.DataOutput},
 * a {@link java.nio.channels.WritableByteChannel}, or to the payload itself, which is the fastest.
 *
 * <pre>{@code
 * ValueCodec<JsonNode> json = Serializers.value("json/1",
 *     (node, out) -> mapper.writeValue(out.asOutputStream(), node),
 *     in -> mapper.readTree(in.asInputStream()));
 * }</pre>
 *
 * <p>What the serializer throws is told as {@link io.tailrace.core.wire.MalformedDataException} with the offset and the result, its
 * own exception as the cause; what the sink, the source or a limit threw comes out of it as it was.
 *
 * <p><b>Threads.</b> Writer and reader are called by every thread that encodes and decodes.
 */
public final class Serializers {

    private Serializers() {}

    /** Writes one value; what it gathers in a buffer of its own it flushes before it returns. */
    public interface Writer<T> {
        void write(T value, WireOutput out) throws Exception;
    }

    /** Reads one value, to the last byte that was written of it. */
    public interface Reader<T> {
        T read(WireInput in) throws Exception;
    }

    /**
     * A payload of one value.
     *
     * @param id for the receiver: see {@link ValueCodec#id}
     */
    public static <T> ValueCodec<T> value(String id, Writer<? super T> writer, Reader<? extends T> reader) {
        return new One<>(id, writer, reader);
    }

    /**
     * A payload of elements whose number is not known, one behind the other to its end: they are written as the iterator gives
     * them and read as they arrive, while the result is open. Each takes at least one byte, and its reader no byte of the next, so
     * one that reads ahead will not do.
     */
    public static <E> ValueCodec<Iterator<E>> each(String id, Writer<? super E> writer, Reader<? extends E> reader) {
        return new Each<>(id, writer, reader);
    }

    private record One<T>(String id, Writer<? super T> writer, Reader<? extends T> reader) implements ValueCodec<T> {

        One {
            requireAll(id, writer, reader);
        }

        @Override
        public void encode(T value, WireOutput out) throws IOException {
            try {
                writer.write(value, out);
            } catch (Throwable e) {
                throw ForeignErrors.told(e, "", out);
            }
        }

        @Override
        public T decode(WireInput in) throws IOException {
            try {
                return reader.read(in);
            } catch (Throwable e) {
                throw ForeignErrors.told(e, "", in);
            }
        }
    }

    private record Each<E>(String id, Writer<? super E> writer, Reader<? extends E> reader)
            implements ValueCodec<Iterator<E>> {

        Each {
            requireAll(id, writer, reader);
        }

        @Override
        public void encode(Iterator<E> values, WireOutput out) throws IOException {
            long index = 0;
            try {
                while (values.hasNext()) {
                    long before = out.written();
                    writer.write(values.next(), out);
                    if (out.written() == before) {
                        throw new IllegalStateException("an element of no bytes, which nobody could tell from the end");
                    }
                    index++;
                }
            } catch (Throwable e) {
                throw ForeignErrors.told(e, "[" + index + "]", out);
            }
        }

        @Override
        public Iterator<E> decode(WireInput in) {
            return new ArrivingElements<E>(in) {
                @Override
                protected @Nullable E read() throws Exception {
                    return reader.read(in);
                }
            };
        }
    }

    private static void requireAll(String id, Object writer, Object reader) {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(writer, "writer");
        Objects.requireNonNull(reader, "reader");
    }
}
