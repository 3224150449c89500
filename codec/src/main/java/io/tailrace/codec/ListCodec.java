// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;

/**
 * A count, then the elements. Lists, sets and arrays of objects differ in what is made of the elements, not in their bytes.
 *
 * @param <C> the collection
 * @param <E> its elements
 */
final class ListCodec<C, E> extends Codec<C> {

    interface Sized<C> {
        int of(C collection);
    }

    /** Not worth a growth of its own. */
    private static final int FEW = 16;

    private final Codec<E> element;
    private final Shape shape;
    private final Sized<C> size;
    private final Function<C, Iterator<E>> elements;
    private final Function<List<E>, C> made;

    ListCodec(Codec<E> element, Sized<C> size, Function<C, Iterator<E>> elements, Function<List<E>, C> made) {
        this.element = element;
        this.shape = Shape.of(Kind.LIST, element.shape());
        this.size = size;
        this.elements = elements;
        this.made = made;
    }

    @Override
    Shape shape() {
        return shape;
    }

    @Override
    void write(C value, Out out) throws IOException {
        int count = size.of(value);
        out.wire.writeVarInt(count);
        long written = element.writeEach(elements.apply(value), out);
        if (written != count) {
            throw Misfit.malformed("of size " + count + ", but gave " + written + " elements", ResultException.NONE);
        }
    }

    @Override
    C read(In in) throws IOException {
        int count = in.count();
        int ahead = in.ahead(count);
        ArrayList<E> read = new ArrayList<>(ahead);
        int to = Math.min(count, Math.max(ahead, FEW));
        element.readEach(read, 0, to, in);
        in.arrived(ahead);
        while (to < count) {
            int from = to;
            to = (int) Math.min(count, 2L * from); // room for as many again as have arrived
            read.ensureCapacity(to);
            element.readEach(read, from, to, in);
        }
        return made.apply(read);
    }

    @Override
    Codec<C> reading(Shape written, Evolution evolution) throws IOException {
        if (written.kind() != Kind.LIST) {
            throw Evolution.mismatch(written, shape);
        }
        return new ListCodec<>(evolution.reading(element, written.part(0), "[]"), size, elements, made);
    }
}
