// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Stands for a codec that contains itself while it is made; here, and only here, a value can be nested without end. */
final class Later<T> extends Codec<T> {

    private final Shape shape;
    private @Nullable Codec<T> target;

    Later(Shape shape) {
        this.shape = shape;
    }

    void is(Codec<T> codec) {
        target = codec;
    }

    private Codec<T> target() {
        Codec<T> made = target;
        if (made == null) {
            throw new IllegalStateException("the codec of " + shape + " is not complete");
        }
        return made;
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(T value, Out out) throws IOException {
        out.descend();
        target().write(value, out);
        out.ascend();
    }

    @Override
    T read(In in) throws IOException {
        in.descend();
        T value = target().read(in);
        in.ascend();
        return value;
    }

    @Override
    Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        return evolution.reading(target(), written);
    }
}
