// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.function.Function;

/** Writes a type as another. */
final class MappedCodec<A, B> extends Codec<A> {

    final Codec<B> written;
    final Function<A, B> to;
    final Function<B, A> from;

    MappedCodec(Codec<B> written, Function<A, B> to, Function<B, A> from) {
        this.written = written;
        this.to = to;
        this.from = from;
    }

    @Override
    Shape shape() {
        return written.shape();
    }

    @Override
    void write(A value, Out out) throws IOException {
        written.write(to.apply(value), out);
    }

    @Override
    A read(In in) throws IOException {
        return from.apply(written.read(in));
    }

    @Override
    Codec<A> reading(Shape shape, Evolution evolution) throws IOException {
        return new MappedCodec<>(evolution.reading(written, shape), to, from);
    }
}
