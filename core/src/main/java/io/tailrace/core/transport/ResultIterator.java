// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultReader;
import io.tailrace.core.mux.Arriving;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A result's elements, decoded by whoever takes them, while frames arrive. The result is accepted when {@link #hasNext} has
 * returned false: only then it is complete, and what was taken before counts.
 *
 * <pre>{@code
 * try (ResultIterator<Row> rows = queue.take()) { // where a handler has put result.iterator(codec)
 *     while (rows.hasNext()) use(rows.next());
 * }
 * }</pre>
 *
 * <p>What fails the result is thrown as an {@link UncheckedIOException} around its exception, now and with each later call.
 * Closed before its end, the result is cancelled: its sender's encoder is told at its next chunk.
 *
 * <p><b>Ownership.</b> Its reader's chunks and what has come of the result are held until it has ended or is closed.
 *
 * <p><b>Threads.</b> One thread at a time; the handler's only when that has returned, since the handler decides over the result until
 * then. It waits for frames; another thread that wants it to stop {@linkplain ArrivingResult#cancel cancels} the result.
 */
public final class ResultIterator<E> implements Iterator<E>, AutoCloseable {

    private final Arriving arriving;
    private final ResultReader reader;
    private final ValueCodec<? extends Iterator<E>> codec;
    private final Consumer<@Nullable Throwable> ends;

    /** Whose the reader is: taken by the first call from outside, or by who closes one that nobody has begun. */
    private final AtomicBoolean taken = new AtomicBoolean();

    /** The handler's thread, until that has returned. */
    private volatile @Nullable Thread handling = Thread.currentThread();

    private boolean ours;
    private @Nullable Iterator<E> elements;
    private boolean over;
    private @Nullable IOException failure;

    /** @param ends told once how it ended: null when the result was complete */
    ResultIterator(
            Arriving arriving,
            ResultReader reader,
            ValueCodec<? extends Iterator<E>> codec,
            Consumer<@Nullable Throwable> ends) {
        this.arriving = arriving;
        this.reader = reader;
        this.codec = codec;
        this.ends = ends;
    }

    /**
     * Whether there is another element; waits for it. False has the result accepted.
     *
     * @throws IllegalStateException in the handler itself, which reads by {@link ArrivingResult#decode}
     */
    @Override
    public boolean hasNext() {
        take();
        if (!over) {
            try {
                Iterator<E> from = elements;
                if (from == null) {
                    from = reader.decode(codec);
                    elements = from;
                }
                if (from.hasNext()) {
                    return true;
                }
                reader.finish();
                end(null);
            } catch (Throwable e) {
                throw failed(e);
            }
        }
        IOException told = failure;
        if (told != null) {
            throw new UncheckedIOException(told);
        }
        return false;
    }

    @Override
    public E next() {
        Iterator<E> from = hasNext() ? elements : null;
        if (from == null) {
            throw new NoSuchElementException();
        }
        try {
            return from.next();
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Gives up what was not taken. Nothing happens behind the end. */
    @Override
    public void close() {
        if (!ours && !taken.compareAndSet(false, true)) {
            return;
        }
        ours = true;
        if (!over) {
            CancellationException closed = new CancellationException("its iterator was closed");
            failure = new IOException("the iterator is closed", closed);
            end(closed);
        }
    }

    /** Closes the reader of one that nobody has begun; false if somebody has. */
    boolean closeUnlessTaken() {
        boolean unused = taken.compareAndSet(false, true);
        if (unused) {
            reader.close();
        }
        return unused;
    }

    /** The handler has returned. */
    void release() {
        handling = null;
    }

    private void take() {
        if (Thread.currentThread() == handling) {
            throw new IllegalStateException("an iterator is for when the handler has returned: " + arriving.id());
        }
        if (!ours) {
            ours = taken.compareAndSet(false, true);
            over |= !ours; // it had ended before
            failure = ours ? null : ended();
        }
    }

    private RuntimeException failed(Throwable e) {
        Throwable cause = e instanceof UncheckedIOException unchecked ? unchecked.getCause() : e;
        failure =
                cause instanceof IOException known ? known : new IOException("the result has failed: " + cause, cause);
        end(cause);
        if (cause instanceof IOException known) {
            return new UncheckedIOException(known);
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException thrown ? thrown : new IllegalStateException(cause);
    }

    private void end(@Nullable Throwable cause) {
        if (over) {
            return;
        }
        over = true;
        elements = null;
        reader.close(); // first: whoever sees the end finds nothing held
        ends.accept(cause);
        if (cause == null) {
            failure = ended();
        }
    }

    /** Null when the result counts. */
    private @Nullable IOException ended() {
        ResultFate fate = arriving.settled();
        if (fate == null) {
            return new IOException("the result has ended: " + arriving.id());
        }
        return fate.verdict() == Verdict.ACCEPTED
                ? null
                : new UndeliveredResultException(fate, arriving.arrivedBytes(), arriving.id(), null);
    }
}
