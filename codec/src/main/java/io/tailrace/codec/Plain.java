// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

/** A codec of two lambdas. */
final class Plain<T> extends Codec<T> {

    interface Writer<T> {
        void write(T value, Out out) throws IOException;
    }

    interface Reader<T> {
        T read(In in) throws IOException;
    }

    private final Shape shape;
    private final Writer<T> writer;
    private final Reader<T> reader;

    /** What narrower kinds are read as. */
    private final Map<Kind, Reader<T>> wider = new EnumMap<>(Kind.class);

    Plain(Shape shape, Writer<T> writer, Reader<T> reader) {
        this.shape = shape;
        this.writer = writer;
        this.reader = reader;
    }

    Plain(Kind kind, Writer<T> writer, Reader<T> reader) {
        this(Shape.of(kind), writer, reader);
    }

    /** Lets it read what was written as a narrower kind. */
    Plain<T> from(Kind narrower, Reader<T> read) {
        wider.put(narrower, read);
        return this;
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(T value, Out out) throws IOException {
        writer.write(value, out);
    }

    @Override
    T read(In in) throws IOException {
        return reader.read(in);
    }

    @Override
    Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        Reader<T> widening = wider.get(written.kind());
        if (widening != null) {
            return new Plain<>(written, writer, widening);
        }
        if (shape.kind() == Kind.RECORD) {
            evolution.requireSame(written, shape);
            return this;
        }
        return super.reading(written, evolution);
    }
}
