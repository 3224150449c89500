// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.mux.Arriving;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A result that is arriving: its handler reads it while its frames come, as from a {@link ResultReader}, or gives it away as a
 * publisher, an iterator or a future.
 *
 * <p><b>Threads.</b> The decoding thread, in the handler's call; {@link #cancel} and the numbers from any.
 */
public final class ArrivingResult {

    private final Arriving arriving;
    private final ResultReader reader;
    private final Consumer<@Nullable Throwable> ends;
    private final Consumer<String> cancels;
    private @Nullable ResultSummary summary;
    private final long decoderNanos;
    private @Nullable Promise<?> promise;
    private @Nullable ResultIterator<?> iterator;
    private boolean published;
    private final AtomicBoolean subscribed = new AtomicBoolean();
    private volatile boolean over;

    /** A value that is decoded behind the handler's return, and told when the result counts. */
    private final class Promise<T> extends CompletableFuture<T> {
        private final ValueCodec<T> codec;
        private Runnable keeps = () -> {};
        private volatile boolean cancelling;

        Promise(ValueCodec<T> codec) {
            this.codec = codec;
        }

        void read() throws IOException {
            T value = decode(codec);
            keeps = () -> complete(value);
        }

        void keep() {
            keeps.run();
        }

        /** The reader may learn of a cancel before who cancels goes on: it is one all the same. */
        void fail(Throwable thrown) {
            if (cancelling && isSettledAsCancelled()) {
                super.cancel(false);
            } else {
                completeExceptionally(thrown);
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            // The result first: one that was accepted meanwhile has its value.
            cancelling = true;
            ArrivingResult.this.cancel("its future was cancelled");
            return isSettledAsCancelled() && super.cancel(mayInterruptIfRunning);
        }

        private boolean isSettledAsCancelled() {
            ResultFate fate = arriving.settled();
            return fate != null && fate.verdict() == Verdict.CANCELLED;
        }
    }

    /**
     * @param decoderNanos how long it waited for a decoding thread
     * @param ends told how a result ended that was given away: null when it was complete
     */
    ArrivingResult(
            Arriving arriving,
            ResultReader reader,
            long decoderNanos,
            Consumer<@Nullable Throwable> ends,
            Consumer<String> cancels) {
        this.decoderNanos = decoderNanos;
        this.arriving = arriving;
        this.reader = reader;
        this.ends = ends;
        this.cancels = cancels;
    }

    public ResultId id() {
        return arriving.id();
    }

    /** Which codec's bytes its payload is. */
    public String codecId() {
        return arriving.codecId();
    }

    /** Payload bytes as the sender announced them, −1 if it did not; nothing holds it to them. */
    public long declaredBytes() {
        return arriving.declaredBytes();
    }

    /** What the sending process calls itself. */
    public String peer() {
        return arriving.peer();
    }

    /** The payload, verified frame by frame. */
    public WireInput payload() {
        requireHere();
        return reader.payload();
    }

    /**
     * Reads the payload, or its rest, as a value; only {@link #finish}, or the handler's return, tells whether it is complete.
     *
     * @throws io.tailrace.core.wire.MalformedDataException before anything is read when the payload is another codec's
     */
    public <T> T decode(ValueCodec<T> codec) throws IOException {
        requireHere();
        return reader.decode(codec);
    }

    /**
     * Reads the payload as a value and the result to its end: what this returns is complete. It counts when the handler has
     * returned, unless another attempt has come before.
     *
     * @throws io.tailrace.core.wire.ResultException as {@link ResultReader#finish}
     */
    public <T> T decodeWhole(ValueCodec<T> codec) throws IOException {
        T value = decode(codec);
        finish();
        return value;
    }

    /** The trailer; what was not read of the payload is verified and skipped. */
    public WireInput trailer() throws IOException {
        requireHere();
        return reader.trailer();
    }

    /**
     * Reads to the result's end, skipping what was not read. Where the handler does not, this is done behind it.
     *
     * @throws io.tailrace.core.wire.ResultException as {@link ResultReader#finish}
     */
    public ResultSummary finish() throws IOException {
        ResultSummary known = summary;
        if (known == null) {
            requireHere();
            known = reader.finish();
            summary = known;
        }
        return known;
    }

    /**
     * Gives the result's elements to a subscriber, behind the handler's return: as {@link ResultReader#publish}. The result is
     * accepted when all of them were taken and it is complete, and refused when the subscriber cancels. One that nobody subscribes
     * to is the handler's to {@link #cancel}.
     */
    public <E> Flow.Publisher<E> publish(ValueCodec<? extends Iterator<E>> codec, Executor executor) {
        requireOurs();
        Flow.Publisher<E> elements = reader.publish(codec, executor);
        published = true;
        return subscriber -> {
            boolean first = subscribed.compareAndSet(false, true);
            elements.subscribe(first ? new Ending<>(subscriber, ends) : subscriber);
        };
    }

    /**
     * Gives the result's elements to whoever takes them from the iterator, on whichever thread, behind the handler's return; no
     * other thread is at work for it, and nothing is decoded that was not asked for. The result is accepted when the iterator
     * is exhausted, and cancelled when it is closed before. Until then it holds a reader's chunks, and
     * those of its credit: no more of them should be open at once than the pool has room for.
     */
    public <E> ResultIterator<E> iterator(ValueCodec<? extends Iterator<E>> codec) {
        requireOurs();
        ResultIterator<E> elements = new ResultIterator<>(arriving, reader, codec, ends);
        iterator = elements;
        published = true;
        return elements;
    }

    /**
     * The payload's value, which is read behind the handler's return, on this thread, and the result to its end. The future is
     * completed by this thread, when the result counts; else with what the handler's {@link #decodeWhole} would have thrown, or
     * with the fate that came before, as an {@link UndeliveredResultException}. A future that is cancelled cancels the result.
     */
    public <T> CompletableFuture<T> future(ValueCodec<T> codec) {
        requireOurs();
        Promise<T> given = new Promise<>(codec);
        promise = given;
        return given;
    }

    /** Reads the value that was promised, and to the end. */
    void readToEnd() throws IOException {
        Promise<?> given = promise;
        if (given != null) {
            given.read();
        }
        finish();
    }

    /** Keeps the promise, if there is one; to be called behind the result's end. */
    void tellFuture(@Nullable Throwable thrown) {
        Promise<?> given = promise;
        if (given == null) {
            return;
        }
        ResultFate fate = arriving.settled();
        if (thrown != null) {
            given.fail(thrown);
        } else if (fate != null && fate.verdict() == Verdict.ACCEPTED) {
            given.keep();
        } else {
            // No fate is known where another attempt has come before and is about to say so.
            ResultFate known = fate == null ? new ResultFate(Verdict.SUPERSEDED, "", false) : fate;
            given.fail(new UndeliveredResultException(known, arriving.arrivedBytes(), arriving.id(), null));
        }
    }

    /** Closes a reader that was given to a publisher, or an iterator, of which nobody has made use; false if somebody has. */
    boolean closeUnsubscribed() {
        ResultIterator<?> given = iterator;
        if (given != null) {
            return given.closeUnlessTaken();
        }
        boolean unused = published && subscribed.compareAndSet(false, true);
        if (unused) {
            reader.close();
        }
        return unused;
    }

    private void requireOurs() {
        requireHere();
        if (published || promise != null) {
            throw new IllegalStateException("it was given away: " + id());
        }
    }

    private void requireHere() {
        if (over) {
            throw new IllegalStateException("its handler has returned: " + id());
        }
    }

    /** The handler has returned, and has given it away. */
    void give() {
        ResultIterator<?> given = iterator;
        if (given != null) {
            given.release();
        }
    }

    /** The reader goes on to another result. */
    void leave() {
        over = true;
    }

    boolean isPublished() {
        return published;
    }

    /** Nanoseconds for which it has waited for that: {@link StallCause#DECODER} or {@link StallCause#BYTES}; from any thread. */
    public long stallNanos(StallCause cause) {
        return switch (cause) {
            case DECODER -> decoderNanos;
            case BYTES -> arriving.waitedNanos();
            default -> 0;
        };
    }

    /** Stops the result: its sender's encoder is told at its next chunk, and a reader here with its next read. */
    public void cancel(String reason) {
        cancels.accept(reason);
    }

    /** Passes all on, and tells how it ended before the subscriber is told. */
    private static final class Ending<E> implements Flow.Subscriber<E>, Flow.Subscription {
        private final Flow.Subscriber<? super E> subscriber;
        private final Consumer<@Nullable Throwable> ends;
        private Flow.@Nullable Subscription subscription;

        Ending(Flow.Subscriber<? super E> subscriber, Consumer<@Nullable Throwable> ends) {
            this.subscriber = subscriber;
            this.ends = ends;
        }

        @Override
        public void onSubscribe(Flow.Subscription from) {
            subscription = from;
            try {
                subscriber.onSubscribe(this);
            } catch (Throwable e) {
                ends.accept(e); // a subscriber that throws is none, and is told nothing more
                throw e;
            }
        }

        @Override
        public void onNext(E element) {
            try {
                subscriber.onNext(element);
            } catch (Throwable e) {
                ends.accept(e);
                throw e;
            }
        }

        @Override
        public void onError(Throwable cause) {
            ends.accept(cause);
            subscriber.onError(cause);
        }

        @Override
        public void onComplete() {
            ends.accept(null);
            subscriber.onComplete();
        }

        @Override
        public void request(long n) {
            Flow.Subscription from = subscription;
            if (from != null) {
                from.request(n);
            }
        }

        @Override
        public void cancel() {
            Flow.Subscription from = subscription;
            if (from != null) {
                from.cancel();
            }
            ends.accept(new CancellationException("the subscriber wants no more"));
        }
    }
}
