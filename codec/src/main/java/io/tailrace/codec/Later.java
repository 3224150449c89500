// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Stands for a codec that contains itself while it is made; here, and only here, a value can be nested without end. */
final class Later<T> extends Codec<T> {

    private final Shape shape;
    private final boolean counts;
    private @Nullable Codec<T> target;

    Later(Shape shape) {
        this(shape, true);
    }

    /** @param counts whether a level is counted here; if not, the records of a foreign schema count themselves */
    Later(Shape shape, boolean counts) {
        this.shape = shape;
        this.counts = counts;
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
        if (!counts) {
            return target().read(in);
        }
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
