// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A varint of the constant's place in the schema, which names the constants; a reader goes by name. */
final class EnumCodec<E extends Enum<E>> extends Codec<E> {

    private final Shape shape;
    private final Class<E> type;

    /** By the writer's places; null where this reader has no such constant. */
    private final @Nullable Object[] constants;

    EnumCodec(Class<E> type) {
        Definition definition = new Definition(Kind.ENUM, type.getSimpleName());
        E[] values = type.getEnumConstants();
        for (E constant : values) {
            definition.add(constant.name(), null);
        }
        this.type = type;
        this.shape = Shape.of(definition);
        this.constants = values;
    }

    private EnumCodec(EnumCodec<E> reader, Shape written) {
        Definition theirs = written.defined();
        Definition ours = reader.shape.defined();
        this.type = reader.type;
        this.shape = written;
        this.constants = new @Nullable Object[theirs.size()];
        for (int i = 0; i < constants.length; i++) {
            int place = ours.place(theirs.member(i).name());
            constants[i] = place < 0 ? null : reader.constants[place];
        }
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    @SuppressWarnings("EnumOrdinal") // the schema says by name what each stands for
    void write(E value, Out out) throws IOException {
        out.wire.writeVarInt(value.ordinal());
    }

    @Override
    E read(In in) throws IOException {
        long at = in.wire.position();
        int place = in.wire.readVarInt();
        if (place < 0 || place >= constants.length) {
            throw Misfit.malformed(
                    "constant " + place + " of " + constants.length + " of enum "
                            + shape.defined().name(),
                    at);
        }
        Object constant = constants[place];
        if (constant == null) {
            throw Misfit.malformed(
                    "enum " + type.getName() + " has no constant "
                            + shape.defined().member(place).name(),
                    at);
        }
        return type.cast(constant);
    }

    @Override
    Codec<E> reading(Shape written, Evolution evolution) throws IOException {
        if (written.kind() != Kind.ENUM) {
            throw Evolution.mismatch(written, shape);
        }
        return new EnumCodec<>(this, written);
    }
}
