// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/** Text by itself, as {@link Text} writes it. */
final class TextCodec extends Codec<String> {

    private static final Shape SHAPE = Shape.of(Kind.TEXT);

    @Override
    Shape shape() {
        return SHAPE;
    }

    @Override
    void write(String value, Out out) throws IOException {
        if (Text.room(value) <= out.wire.limit() - out.wire.offset()) {
            out.wire.commit(Text.put(value, out.wire.array(), out.wire.offset(), out));
        } else {
            Text.write(value, out);
        }
    }

    @Override
    String read(In in) throws IOException {
        return Text.read(in);
    }

    /** The place is kept in a local variable as long as texts lie whole in the region. */
    @Override
    void readEach(List<? super String> into, int from, int to, In in) throws IOException {
        int index = from;
        try {
            while (index < to) {
                byte[] array = in.wire.array();
                int limit = in.wire.limit();
                int at = in.wire.offset();
                long span = Text.span(array, at, limit, in);
                for (; span >= 0 && index < to; index++) {
                    into.add(Text.at(array, span));
                    at = Text.end(span);
                    span = Text.span(array, at, limit, in);
                }
                in.wire.commit(at);
                if (index < to) {
                    into.add(Text.read(in));
                    index++;
                }
            }
        } catch (Throwable e) {
            throw Misfit.under(e, "[" + index + "]");
        }
    }

    /** The same loop again, for a profile of its own: lists of text are the hottest there are. */
    @Override
    long writeEach(Iterator<? extends String> values, Out out) throws IOException {
        long index = 0;
        try {
            while (values.hasNext()) {
                String value = values.next();
                if (value == null) {
                    throw Misfit.missing();
                }
                write(value, out);
                index++;
            }
            return index;
        } catch (Throwable e) {
            throw Misfit.under(e, "[" + index + "]");
        }
    }
}
