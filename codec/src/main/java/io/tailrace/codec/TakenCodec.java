// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Elements without a number, as lists on either side; the one that is written is spent. */
final class TakenCodec<E> extends ElementsCodec<E, List<E>> {

    TakenCodec(ValueCodec<Iterator<E>> each) {
        super(each);
    }

    @Override
    public void encode(List<E> value, WireOutput out) throws IOException {
        each.encode(Taken.of(value), out);
    }

    @Override
    public List<E> decode(WireInput in) throws IOException {
        List<E> list = new ArrayList<>();
        try {
            each.decode(in).forEachRemaining(list::add);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return list;
    }
}
