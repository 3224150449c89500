// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/**
 * How one type's values become bytes and values again. Codecs are made by {@link Codecs} and {@link Derivation}, put
 * together at will, and become a payload by {@link Codecs#value}.
 *
 * <p><b>Threads.</b> A codec keeps nothing between calls; any number of threads use it.
 */
public abstract class Codec<T> {

    Codec() {}

    /** What {@link #write} writes; complete once the codec is built. */
    abstract Shape shape();

    /** Writes a value that is not null. */
    abstract void write(T value, Out out) throws IOException;

    abstract T read(In in) throws IOException;

    /** The whole value, null where this codec says so; what a codec throws by itself is told as the value's. */
    final void writeRoot(T value, Out out) throws IOException {
        try {
            if (value == null && !nullable()) {
                throw Misfit.missing();
            }
            write(value, out);
        } catch (Exception e) {
            throw Misfit.under(e, "");
        }
    }

    final T readRoot(In in) throws IOException {
        try {
            return read(in);
        } catch (Exception e) {
            throw Misfit.under(e, "");
        }
    }

    /** Whether null is a value. */
    boolean nullable() {
        return false;
    }

    /** A codec of the same type that reads what a writer of that shape wrote. */
    Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        if (!written.equals(shape())) {
            throw Evolution.mismatch(written, shape());
        }
        return this;
    }

    /** Returns how many there were. Overridden where a loop of its own lets the compiler see which codec it calls. */
    long writeEach(Iterator<? extends T> values, Out out) throws IOException {
        long index = 0;
        try {
            while (values.hasNext()) {
                T value = values.next();
                if (value == null && !nullable()) {
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

    /** Reads the elements from … to − 1, as they are counted in errors. */
    void readEach(List<? super T> into, int from, int to, In in) throws IOException {
        int index = from;
        try {
            for (; index < to; index++) {
                into.add(read(in));
            }
        } catch (Throwable e) {
            throw Misfit.under(e, "[" + index + "]");
        }
    }

    /** The schema in words. */
    @Override
    public String toString() {
        return shape().toString();
    }
}
