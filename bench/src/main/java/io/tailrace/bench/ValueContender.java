// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A format and the values that it writes and reads; it has read its own bytes back before a round begins. */
final class ValueContender<E> implements AutoCloseable {

    private final Values<E> values;
    private final ValueFormat<E> format;
    private final List<byte[]> encoded = new ArrayList<>();

    private ValueContender(Values<E> values, ValueFormat<E> format) throws IOException {
        this.values = values;
        this.format = format;
        for (List<E> result : values.results()) {
            byte[] bytes = format.bytes(result);
            if (!format.decode(bytes, result.size()).equals(result)) {
                throw new IllegalStateException(format.getClass().getSimpleName() + " reads something else of "
                        + values.type().getSimpleName());
            }
            encoded.add(bytes);
        }
    }

    static <E> ValueContender<E> named(String name, Values<E> values) throws IOException {
        return new ValueContender<>(values, ValueFormat.named(name, values.type()));
    }

    /** Of all results. */
    long encode() throws IOException {
        long bytes = 0;
        for (List<E> result : values.results()) {
            bytes += format.encode(result);
        }
        return bytes;
    }

    /** Of all results. */
    long decode() throws IOException {
        long count = 0;
        for (int i = 0; i < encoded.size(); i++) {
            count += format.decode(encoded.get(i), values.results().get(i).size())
                    .size();
        }
        return count;
    }

    @Override
    public void close() {
        format.close();
    }
}
