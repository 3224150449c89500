// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The columns of rows: announced once, in front, then rows follow without tags until the payload ends. On the wire a row is a
 * record of its columns, so rows can be read as records and records of plain fields as rows.
 *
 * <p>A result is opened with {@link #id}; its rows are written and read by cursors, without an object for each.
 *
 * <p><b>Threads.</b> Any number; a cursor belongs to one.
 */
public final class Columns {

    /** What a column holds. */
    public enum Type {
        BOOLEAN(Kind.BOOLEAN),
        BYTE(Kind.BYTE),
        SHORT(Kind.SHORT),
        CHAR(Kind.CHAR),
        INT(Kind.INT),
        LONG(Kind.LONG),
        FLOAT(Kind.FLOAT),
        DOUBLE(Kind.DOUBLE),
        TEXT(Kind.TEXT),
        BYTES(Kind.BYTES);

        final Kind kind;

        Type(Kind kind) {
            this.kind = kind;
        }
    }

    private final Definition definition;
    private final List<Type> types;
    private final ValueLimits limits;
    private final Shape shape;
    private final Preface<Object> preface;

    private Columns(Builder from) {
        this.definition = from.definition.copy(); // the builder may go on
        this.types = List.copyOf(from.types);
        this.limits = from.limits;
        this.shape = Shape.of(definition);
        this.preface = new Preface<>(new RowShape(shape), Shape.of(Kind.EACH, shape), limits);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** What OPEN tells the receiver. */
    public String id() {
        return preface.id();
    }

    public int count() {
        return types.size();
    }

    public String name(int column) {
        return definition.member(column).name();
    }

    public Type type(int column) {
        return types.get(column);
    }

    /** Whether the column may be null. */
    public boolean nullable(int column) {
        return definition.shape(column).kind() == Kind.MAYBE;
    }

    /** -1 when there is none of that name. */
    public int column(String name) {
        return definition.place(name);
    }

    /** Announces the columns and gives the cursor that writes rows. */
    public RowWriter writer(WireOutput out) throws IOException {
        preface.write(out);
        return new RowWriter(this, new Out(out, limits));
    }

    /**
     * Reads what was announced and gives the cursor that reads rows. Columns go by name: those that were not announced are null,
     * those that are not asked for are passed over, narrower numbers are widened.
     *
     * @throws io.tailrace.core.wire.MalformedDataException when a column's type does not fit, or one that may not be null was
     *     not announced; it names the column
     */
    public RowReader reader(WireInput in) throws IOException {
        try {
            return new RowReader(this, preface.read(in).shape().defined(), new In(in, limits));
        } catch (Misfit e) {
            throw e.told(in);
        }
    }

    Definition definition() {
        return definition;
    }

    /** Stands for the rows where the preface is read: whatever was announced, the reader judges it. */
    private static final class RowShape extends Codec<Object> {
        private final Shape shape;

        RowShape(Shape shape) {
            this.shape = shape;
        }

        @Override
        Shape shape() {
            return shape;
        }

        @Override
        void write(Object value, Out out) {
            throw new UnsupportedOperationException("rows are written by their cursor");
        }

        @Override
        Object read(In in) {
            throw new UnsupportedOperationException("rows are read by their cursor");
        }

        @Override
        Codec<Object> reading(Shape written, Evolution evolution) throws IOException {
            if (written.kind() != Kind.RECORD) {
                throw Evolution.mismatch(written, shape);
            }
            return new RowShape(written);
        }
    }

    /** Columns in their order on the wire. */
    public static final class Builder {
        private final Definition definition = new Definition(Kind.RECORD, "Row");
        private final List<Type> types = new ArrayList<>();
        private ValueLimits limits = ValueLimits.DEFAULT;

        private Builder() {}

        /**
         * A column that is never null.
         *
         * @throws IllegalArgumentException when there is one of that name
         */
        public Builder column(String name, Type type) {
            definition.add(name, Shape.of(type.kind));
            types.add(type);
            return this;
        }

        /** A column that may be null. */
        public Builder nullableColumn(String name, Type type) {
            definition.add(name, Shape.of(Kind.MAYBE, Shape.of(type.kind)));
            types.add(type);
            return this;
        }

        /** Of which the elements are rows. */
        public Builder limits(ValueLimits most) {
            limits = most;
            return this;
        }

        public Columns build() {
            return new Columns(this);
        }
    }
}
