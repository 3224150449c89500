// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** A whole payload of elements up to its end, without their number. */
final class EachCodec<E> implements ValueCodec<Iterator<E>> {

    private final Codec<E> element;
    private final Preface<E> preface;
    private final ValueLimits limits;

    EachCodec(Codec<E> element, ValueLimits limits) {
        this.element = element;
        this.preface = new Preface<>(element, Shape.of(Kind.EACH, element.shape()), limits);
        this.limits = limits;
    }

    @Override
    public String id() {
        return preface.id();
    }

    @Override
    public boolean reads(String codecId) {
        return Preface.isOurs(codecId);
    }

    @Override
    public void encode(Iterator<E> values, WireOutput out) throws IOException {
        try {
            preface.write(out);
            element.writeEach(values, new Out(out, limits));
        } catch (Misfit e) {
            throw e.told(out);
        }
    }

    @Override
    public Iterator<E> decode(WireInput in) throws IOException {
        try {
            return new Elements<>(preface.read(in), new In(in, limits));
        } catch (Misfit e) {
            throw e.told(in);
        }
    }

    /** Reads the next element when it is asked for, and ends for good where one could not be read. */
    private static final class Elements<E> implements Iterator<E> {
        private final Codec<E> element;
        private final In in;
        private long index;
        private boolean broken;

        Elements(Codec<E> element, In in) {
            this.element = element;
            this.in = in;
        }

        @Override
        public boolean hasNext() {
            try {
                return !broken && !in.wire.exhausted();
            } catch (IOException e) {
                broken = true;
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public E next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            try {
                E value = in.element(element);
                index++;
                return value;
            } catch (Throwable e) {
                broken = true;
                throw new UncheckedIOException(
                        Misfit.under(e, "[" + index + "]").told(in.wire));
            }
        }
    }
}
