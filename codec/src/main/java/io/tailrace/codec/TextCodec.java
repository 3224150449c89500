// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Iterator;

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
