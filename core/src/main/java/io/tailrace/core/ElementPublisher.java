// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A result's elements for one subscriber, decoded on an executor as far as was asked for; by the rules of Reactive Streams 1.0.4.
 *
 * <p><b>Threads.</b> Any thread subscribes, asks and cancels. What was asked for is counted first and {@code work} raised second;
 * whoever raises it from 0 starts the one task that decodes, and the task goes on until it has taken {@code work} back to 0. So
 * the reader, the iterator and what is said to the subscriber are touched by one task at a time, each seeing all that the one
 * before did.
 */
final class ElementPublisher<E> implements Flow.Publisher<E> {

    private static final Logger LOG = System.getLogger(ElementPublisher.class.getName());

    private final ResultReader reader;
    private final ValueCodec<? extends Iterator<E>> codec;
    private final Executor executor;
    private final AtomicBoolean taken = new AtomicBoolean();

    ElementPublisher(ResultReader reader, ValueCodec<? extends Iterator<E>> codec, Executor executor) {
        this.reader = reader;
        this.codec = Objects.requireNonNull(codec, "codec");
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    @Override
    public void subscribe(Flow.Subscriber<? super E> subscriber) {
        Objects.requireNonNull(subscriber, "subscriber");
        if (taken.compareAndSet(false, true)) {
            Subscription subscription = new Subscription(subscriber);
            try {
                subscriber.onSubscribe(subscription);
            } catch (Throwable e) {
                subscription.cancel(); // a subscriber that throws is none (rule 2.13)
                throw e;
            } finally {
                subscription.begin();
            }
        } else {
            subscriber.onSubscribe(new Nothing());
            subscriber.onError(new IllegalStateException("elements that arrive can be subscribed to once"));
        }
    }

    private record Nothing() implements Flow.Subscription {
        @Override
        public void request(long n) {}

        @Override
        public void cancel() {}
    }

    private final class Subscription implements Flow.Subscription, Runnable {
        private final Flow.Subscriber<? super E> subscriber;
        private final AtomicLong wanted = new AtomicLong();

        /** 1 until the subscriber has its subscription: nothing else is said to it meanwhile (rule 1.3). */
        private final AtomicInteger work = new AtomicInteger(1);

        private volatile boolean cancelled;
        private volatile @Nullable Throwable broken;

        // The running task's own.
        private @Nullable Iterator<E> elements;
        private boolean ended;

        Subscription(Flow.Subscriber<? super E> subscriber) {
            this.subscriber = subscriber;
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                broken = new IllegalArgumentException("asked for " + n + " elements (rule 3.9: more than 0)");
            } else {
                wanted.accumulateAndGet(n, (now, more) -> now + more < 0 ? Long.MAX_VALUE : now + more);
            }
            goOn();
        }

        @Override
        public void cancel() {
            cancelled = true;
            goOn();
        }

        void begin() {
            if (work.decrementAndGet() > 0) {
                execute();
            }
        }

        private void goOn() {
            if (work.getAndIncrement() == 0) {
                execute();
            }
        }

        private void execute() {
            try {
                executor.execute(this);
            } catch (Throwable e) {
                if (!ended) {
                    end(e); // no task runs and none will: this thread may end it
                }
            }
        }

        @Override
        public void run() {
            int seen = 1;
            do {
                if (!ended) {
                    serve();
                }
                seen = work.addAndGet(-seen);
            } while (seen > 0);
        }

        private void serve() {
            Throwable failure;
            try {
                if (!goneThrough()) {
                    return;
                }
                failure = broken;
            } catch (UncheckedIOException e) {
                failure = e.getCause();
            } catch (Throwable e) {
                failure = e;
            }
            end(failure);
        }

        /** Gives what was asked for; true when nothing more is to be given. */
        private boolean goneThrough() throws IOException {
            while (!stopped() && wanted.get() > 0) {
                Iterator<E> from = elements;
                if (from == null) {
                    from = reader.decode(codec);
                    elements = from;
                }
                if (!from.hasNext()) {
                    reader.finish();
                    return true;
                }
                give(Objects.requireNonNull(from.next(), "null has no place among published elements"));
            }
            return stopped();
        }

        private void give(E element) {
            if (wanted.get() != Long.MAX_VALUE) {
                wanted.decrementAndGet();
            }
            try {
                subscriber.onNext(element);
            } catch (Throwable e) {
                cancelled = true; // a subscriber that throws is no longer one (rule 2.13)
                LOG.log(Level.ERROR, "a subscriber threw and is given up", e);
            }
        }

        private boolean stopped() {
            return cancelled || broken != null;
        }

        /** Closes the reader first, so that a subscriber who sees the end finds nothing held. */
        private void end(@Nullable Throwable failure) {
            ended = true;
            elements = null;
            boolean silent = cancelled;
            reader.close();
            if (silent) {
                return;
            }
            try {
                if (failure == null) {
                    subscriber.onComplete();
                } else {
                    subscriber.onError(failure);
                }
            } catch (Throwable e) {
                LOG.log(Level.ERROR, "a subscriber threw when it was told of the end", e);
            }
        }
    }
}
