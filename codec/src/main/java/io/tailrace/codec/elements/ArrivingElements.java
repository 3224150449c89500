// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.elements;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Elements up to the payload's end, each read by somebody else's serializer when it is asked for. One that cannot be read ends
 * them for good.
 *
 * <p><b>Threads.</b> The decoding thread alone.
 */
public abstract class ArrivingElements<E> implements Iterator<E> {

    private final WireInput in;
    private long index;
    private boolean ended;

    protected ArrivingElements(WireInput in) {
        this.in = in;
    }

    /** Reads one element, of at least one byte, and commits what it has read. */
    protected abstract @Nullable E read() throws Exception;

    /** The same, held to take at least a byte, lest there be no end of them. */
    protected @Nullable E readSome() throws Exception {
        long from = in.position();
        E element = read();
        if (in.position() == from) {
            throw new MalformedDataException("element of no bytes", from, in.resultId());
        }
        return element;
    }

    /** Whether there are no more; asked before each. */
    protected boolean exhausted() throws IOException {
        return in.exhausted();
    }

    /** Gives back what reading took; called once, unless the elements are abandoned. */
    protected void release() {}

    @Override
    public final boolean hasNext() {
        if (ended) {
            return false;
        }
        try {
            if (exhausted()) {
                end();
                return false;
            }
            return true;
        } catch (IOException e) {
            end();
            throw new UncheckedIOException(e);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // an element is null where the serializer says so
    public final E next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        try {
            E element = readSome();
            index++;
            return element;
        } catch (Throwable e) {
            end();
            throw new UncheckedIOException(ForeignErrors.told(e, "[" + index + "]", in));
        }
    }

    private void end() {
        ended = true;
        release();
    }
}
