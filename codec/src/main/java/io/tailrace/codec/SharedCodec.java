// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;

/** A varint: 0 and the value, which then is the newest of its table; or how new the value is that is meant. */
final class SharedCodec<T> extends Codec<T> {

    final Codec<T> value;
    private final Shape shape;

    SharedCodec(Codec<T> value) {
        this(shape(value.shape()), value);
    }

    /** @param shape of which the definition is the table's name */
    SharedCodec(Shape shape, Codec<T> value) {
        this.value = value;
        this.shape = shape;
    }

    /** With a definition, and so a table, of its own. */
    static Shape shape(Shape value) {
        if (value.kind() == Kind.MAYBE || value.kind() == Kind.SHARED) {
            throw new IllegalArgumentException(value + " cannot be shared"
                    + (value.kind() == Kind.MAYBE ? ": share what is there, if it is" : ""));
        }
        String name = value.kind().defined() ? value.defined().name() : "";
        return Shape.of(new Definition(Kind.SHARED, name).add("value", value));
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(T object, Out out) throws IOException {
        SharedPlaces places = out.shared(shape.defined());
        int slot = places.slot(object);
        if (slot >= 0) {
            out.referTo(places.table.height(slot));
            out.wire.writeVarInt(places.table.back(slot));
            return;
        }
        out.wire.writeVarInt(0);
        int before = out.begin();
        value.write(object, out);
        places.add(object, out.height(before));
    }

    @Override
    @SuppressWarnings({"unchecked", "NullAway"}) // one definition is read by one codec
    T read(In in) throws IOException {
        SharedTable table = in.shared(shape.defined());
        long at = in.wire.position();
        int back = in.wire.readVarInt();
        if (back != 0) {
            table.requireHeld(back, shape, at);
            int slot = table.slot(back);
            in.referTo(table.height(slot));
            return (T) table.value(slot);
        }
        int before = in.begin();
        T read = value.read(in);
        table.add(read, in.height(before));
        return read;
    }

    @Override
    Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        return written.kind() == Kind.SHARED ? evolution.shared(value, written) : evolution.reading(value, written);
    }
}
