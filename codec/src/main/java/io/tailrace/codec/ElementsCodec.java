// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import java.util.Iterator;

/** Elements without a number in another shape, {@code T}; the payload is that of the iterators' codec. */
abstract class ElementsCodec<E, T> implements ValueCodec<T> {

    final ValueCodec<Iterator<E>> each;

    ElementsCodec(ValueCodec<Iterator<E>> each) {
        this.each = each;
    }

    @Override
    public final String id() {
        return each.id();
    }

    @Override
    public final boolean reads(String codecId) {
        return each.reads(codecId);
    }
}
