// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Elements without a number, as streams on either side. */
final class StreamCodec<E> extends ElementsCodec<E, Stream<E>> {

    StreamCodec(ValueCodec<Iterator<E>> each) {
        super(each);
    }

    @Override
    public void encode(Stream<E> value, WireOutput out) throws IOException {
        try (value) {
            each.encode(Misfit.iterator(value::iterator, out), out);
        }
    }

    @Override
    public Stream<E> decode(WireInput in) throws IOException {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(each.decode(in), Spliterator.ORDERED), false);
    }
}
