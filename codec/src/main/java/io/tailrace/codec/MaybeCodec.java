// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** One byte, 0 or 1, then the value if 1. In a record the byte is one bit of the record's marks. */
final class MaybeCodec<T> extends Codec<@Nullable T> {

    final Codec<T> present;
    private final Shape shape;

    MaybeCodec(Codec<T> present) {
        this.present = present;
        this.shape = Shape.of(Kind.MAYBE, present.shape());
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    boolean nullable() {
        return true;
    }

    @Override
    void write(@Nullable T value, Out out) throws IOException {
        out.wire.writeBoolean(value != null);
        if (value != null) {
            present.write(value, out);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // null is a value of this codec
    T read(In in) throws IOException {
        return in.wire.readBoolean() ? present.read(in) : null;
    }

    /** What was never null can be read where null may be. */
    @Override
    Codec<@Nullable T> reading(Shape written, Evolution evolution) throws IOException {
        if (written.kind() == Kind.MAYBE) {
            return new MaybeCodec<>(evolution.reading(present, written.part(0)));
        }
        Codec<T> always = evolution.reading(present, written);
        return new Plain<@Nullable T>(
                written, (value, out) -> always.write(java.util.Objects.requireNonNull(value), out), always::read);
    }
}
