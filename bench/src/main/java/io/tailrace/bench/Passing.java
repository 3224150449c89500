// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.handoff.Handoff;
import io.tailrace.core.handoff.OfferResult;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;

/**
 * Passes elements from this thread to another, through the hand-off and through the bare queue inside it.
 *
 * <p><b>Threads.</b> One calls, and waits for the consumer's end in each call; between the two are only the queues.
 */
final class Passing implements AutoCloseable {

    static final int COUNT = 20_000;
    static final int CAPACITY = 8;

    private static final int SPINS = 1_000;

    private final ExecutorService consumer = Executors.newSingleThreadExecutor();
    private final Object element = new Object();

    /** Where elements come from; never null. */
    interface Source<E> {
        E make() throws Exception;
    }

    long handoff(int count) throws Exception {
        return handoff(count, () -> element, taken -> {});
    }

    long bareQueue(int count) throws Exception {
        return bareQueue(count, () -> element, taken -> {});
    }

    <E> long handoff(int count, Source<E> source, Consumer<E> last) throws Exception {
        Handoff<E> handoff = new Handoff<>(CAPACITY, last);
        Future<Long> taken = consumer.submit(() -> {
            long n = 0;
            for (E next = handoff.take(); next != null; next = handoff.take()) {
                last.accept(next);
                n++;
            }
            return n;
        });
        for (int i = 0; i < count; i++) {
            E next = source.make();
            while (handoff.offer(next) != OfferResult.ACCEPTED) {
                handoff.awaitSpace();
            }
        }
        handoff.finish();
        return taken.get();
    }

    <E> long bareQueue(int count, Source<E> source, Consumer<E> last) throws Exception {
        SpscVarHandleArrayQueue<E> queue = new SpscVarHandleArrayQueue<>(CAPACITY);
        Future<Long> taken = consumer.submit(() -> {
            long n = 0;
            int idle = 0;
            while (n < count) {
                E next = queue.poll();
                if (next == null) {
                    idle = idle(idle);
                } else {
                    idle = 0;
                    last.accept(next);
                    n++;
                }
            }
            return n;
        });
        for (int i = 0; i < count; i++) {
            E next = source.make();
            int idle = 0;
            while (!queue.offer(next)) {
                idle = idle(idle);
            }
        }
        return taken.get();
    }

    /** Spins as long as the hand-off does; then lets somebody else run, where the processors are not ours alone. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but the time taken on a crowded machine
    private static int idle(int turns) {
        if (turns < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
        return turns + 1;
    }

    /** One element there, one back: what an encoder waits for whose window is 1. */
    long roundTrips(int count) throws InterruptedException, ExecutionException {
        Handoff<Object> there = new Handoff<>(CAPACITY, back -> {});
        Handoff<Object> back = new Handoff<>(CAPACITY, gone -> {});
        Future<?> echo = consumer.submit(() -> {
            for (Object next = there.take(); next != null; next = there.take()) {
                back.offer(next);
            }
            return null;
        });
        for (int i = 0; i < count; i++) {
            there.offer(element);
            back.take();
        }
        there.finish();
        echo.get();
        return count;
    }

    @Override
    public void close() {
        consumer.shutdownNow();
    }
}
