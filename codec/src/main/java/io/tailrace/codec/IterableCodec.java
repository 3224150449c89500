// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Elements without a number, as iterables on either side; the one that is read can be gone through once. */
final class IterableCodec<E> extends ElementsCodec<E, Iterable<E>> {

    IterableCodec(ValueCodec<Iterator<E>> each) {
        super(each);
    }

    @Override
    public void encode(Iterable<E> value, WireOutput out) throws IOException {
        each.encode(Misfit.iterator(value::iterator, out), out);
    }

    @Override
    public Iterable<E> decode(WireInput in) throws IOException {
        AtomicReference<@Nullable Iterator<E>> only = new AtomicReference<>(each.decode(in));
        return () -> {
            Iterator<E> elements = only.getAndSet(null);
            if (elements == null) {
                throw new IllegalStateException("elements that arrive can be gone through once");
            }
            return elements;
        };
    }
}
