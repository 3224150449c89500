// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jctools.queues.varhandle.SpscVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * A bounded passage of elements from one thread to another, with an end.
 *
 * <p><b>Ownership.</b> {@link #offer} moves an element in only when it answers ACCEPTED; {@link #poll} and {@link #take}
 * move it out. What is inside when the hand-off is cancelled or failed goes to {@code giveBack}, on the thread that finds
 * it. So each accepted element is taken once or given back once.
 *
 * <p><b>Threads.</b> Assumption: one producer thread ({@code offer}, {@code awaitSpace}, {@code finish}), one consumer
 * thread ({@code poll}, {@code take}), any number of threads for the rest; {@code giveBack} runs on any of them. Guarantee:
 * order is kept; once {@code cancel} or {@code fail} and the calls concurrent with it have returned, nothing is inside; no
 * sleeping side misses space, an element or an end. Progress: only {@code awaitSpace} and {@code take} block, and each is
 * woken by the other side's progress and by every end. The package page says why.
 *
 * @param <E> what is handed over
 */
public final class Handoff<E> {
    /** About 10 to 40 µs: as long as a park takes to wake up from, and a chunk to fill. */
    private static final int SPINS = 1_000;

    private static final Ending FINISHED = new Ending(null);
    private static final VarHandle ENDING;
    private static final VarHandle CELLS = MethodHandles.arrayElementVarHandle(long[].class);

    /**
     * What one side writes for every element, two cache lines away from all that the other side reads.
     *
     * <pre>
     *   0        16         17           18        40      41       64
     *   | unused | ACCEPTED | ACCEPTABLE |  unused  | CLAIM |  unused  |
     * </pre>
     *
     * As plain fields beside the others they cost 155 ns an element instead of 43 (two threads, capacity 8).
     */
    private static final int CELL_COUNT = 64;

    /** The producer's own: how many it has put in. */
    private static final int ACCEPTED = 16;

    /** The producer's own: how many it may have put in before it must look at the consumer's index again. */
    private static final int ACCEPTABLE = 17;

    /** 1 while a thread is at the consuming end: the consumer for one poll, or whoever drains. */
    private static final int CLAIM = 40;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            ENDING = lookup.findVarHandle(Handoff.class, "ending", Ending.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int capacity;
    private final Consumer<? super E> giveBack;
    private final SpscVarHandleArrayQueue<E> queue;
    private final long[] cells = new long[CELL_COUNT];
    private final Waiting arrivals;
    private final Waiting space;
    private final BooleanSupplier somethingToTake = this::somethingToTake;
    private final BooleanSupplier spaceOrEnd = this::spaceOrEnd;

    /** Null while open, {@link #FINISHED}, or how it was cancelled. */
    private volatile @Nullable Ending ending;

    /**
     * Makes an open hand-off for exactly that many elements.
     *
     * @param giveBack what is done with an element that will not be taken; must not block. What it throws is kept, see
     *     {@link #failure}
     */
    public Handoff(int capacity, Consumer<? super E> giveBack) {
        this(capacity, giveBack, SPINS);
    }

    Handoff(int capacity, Consumer<? super E> giveBack, int spins) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity + " is below 1");
        }
        this.capacity = capacity;
        this.cells[ACCEPTABLE] = capacity;
        this.giveBack = Objects.requireNonNull(giveBack, "giveBack");
        this.queue = new SpscVarHandleArrayQueue<>(capacity);
        this.arrivals = new Waiting(spins);
        this.space = new Waiting(spins);
    }

    /**
     * Moves the element in, if there is room and a future. Never blocks and never throws for what {@code giveBack} does:
     * an element accepted while the hand-off is being cancelled is given back, and the next offer says so.
     *
     * @throws IllegalStateException after {@link #finish}
     */
    public OfferResult offer(E element) {
        Objects.requireNonNull(element, "element");
        // In this order: room that a drain has made is seen together with the end that caused it.
        boolean room = hasSpace();
        Ending seen = ending;
        if (seen != null) {
            if (seen == FINISHED) {
                throw new IllegalStateException("offered after finish");
            }
            return OfferResult.CANCELLED;
        }
        if (!room) {
            return OfferResult.FULL;
        }
        if (!queue.offer(element)) {
            throw new IllegalStateException("two threads offer");
        }
        cells[ACCEPTED]++;
        // The queue's stores are releases: without a full fence the two reads below could come before the element is
        // visible, and neither a consumer going to sleep nor a thread that cancels would find it.
        VarHandle.fullFence();
        if (cancelled()) {
            drain();
        }
        arrivals.signalFenced();
        return OfferResult.ACCEPTED;
    }

    /** Waits for room; false when cancelled or failed. Where there is room, the next {@link #offer} is not FULL. */
    public boolean awaitSpace() throws InterruptedException {
        space.await(spaceOrEnd, Waiting.NO_DEADLINE);
        return !cancelled();
    }

    /** Takes the next element; null if there is none now or ever. Never blocks. */
    public @Nullable E poll() {
        // An idle consumer writes nothing. Only a drain, after the end, moves the consuming end under this look.
        if (queue.peek() == null || !claim()) {
            return null;
        }
        E element;
        try {
            element = cancelled() ? null : queue.poll();
        } finally {
            unclaim();
        }
        // Without a full fence the two reads below could come before the free slot and the claim given up are visible:
        // a producer going to sleep would miss the slot, and who cancels would leave the rest to a claim that is gone.
        VarHandle.fullFence();
        if (cancelled()) {
            drain();
        }
        space.signalFenced();
        return element;
    }

    /**
     * Takes the next element, waiting for it; null at the end: finished and everything taken, or cancelled, or failed.
     *
     * @throws InterruptedException also when interrupted before; nothing is taken then
     */
    public @Nullable E take() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        while (true) {
            // Read before the queue: the last element was offered before finish.
            boolean ended = ending != null;
            E element = poll();
            if (element != null || ended) {
                return element;
            }
            arrivals.await(somethingToTake, Waiting.NO_DEADLINE);
        }
    }

    /** Ends the passage when everything inside has been taken. For the producer; nothing after another end. */
    public void finish() {
        if (ENDING.compareAndSet(this, null, FINISHED)) {
            VarHandle.fullFence();
            arrivals.signalFenced();
        }
    }

    /** Cancels, keeping the cause for {@link #failure}. It counts even after {@link #finish}; the first cause stays. */
    public void fail(Throwable cause) {
        end(new Ending(Objects.requireNonNull(cause, "cause")));
    }

    /** Gives back all that is inside, refuses more, and wakes both sides. From any thread, any number of times. */
    public void cancel() {
        end(new Ending(null));
    }

    /** Whether cancelled or failed. */
    public boolean cancelled() {
        Ending seen = ending;
        return seen != null && seen != FINISHED;
    }

    /** Whether {@link #finish} was called and nothing worse has happened since. */
    public boolean finished() {
        return ending == FINISHED;
    }

    /**
     * The cause if failed before it was cancelled. What {@code giveBack} threw is suppressed behind it, or stands here
     * itself when there is no cause.
     */
    public @Nullable Throwable failure() {
        Ending seen = ending;
        return seen == null ? null : seen.cause();
    }

    public int capacity() {
        return capacity;
    }

    /** How many are inside; out of date at once, so for reports only. */
    public int held() {
        return queue.size();
    }

    private void end(Ending wanted) {
        Ending seen = ending;
        while (seen == null || seen == FINISHED) {
            if (ENDING.compareAndSet(this, seen, wanted)) {
                break;
            }
            seen = ending;
        }
        VarHandle.fullFence();
        arrivals.signalFenced();
        space.signalFenced();
        drain();
    }

    /**
     * Gives back all that is inside, or leaves it to the thread that holds the claim: that one looks here again after it
     * has given the claim up. Likewise this thread looks again for what a late producer left to it.
     */
    private void drain() {
        while (!queue.isEmpty() && claim()) {
            try {
                giveBackAll();
            } finally {
                unclaim();
            }
            VarHandle.fullFence();
        }
    }

    private void giveBackAll() {
        E element;
        while ((element = queue.poll()) != null) {
            try {
                giveBack.accept(element);
            } catch (Throwable e) { // the rest must go back all the same
                Objects.requireNonNull(ending, "ending").add(e);
            }
        }
    }

    private boolean claim() {
        return CELLS.compareAndSet(cells, CLAIM, 0L, 1L);
    }

    private void unclaim() {
        CELLS.setRelease(cells, CLAIM, 0L);
    }

    /** Whether an element fits: exact, as only this thread, the producer, adds, and a slot is free before it counts. */
    private boolean hasSpace() {
        if (cells[ACCEPTED] < cells[ACCEPTABLE]) {
            return true;
        }
        cells[ACCEPTABLE] = queue.currentConsumerIndex() + capacity;
        return cells[ACCEPTED] < cells[ACCEPTABLE];
    }

    private boolean spaceOrEnd() {
        return hasSpace() || cancelled();
    }

    private boolean somethingToTake() {
        return queue.peek() != null || ending != null;
    }

    /** How it ended: finished, or cancelled with or without a cause. */
    private static final class Ending {
        private @Nullable Throwable cause;

        Ending(@Nullable Throwable cause) {
            this.cause = cause;
        }

        synchronized @Nullable Throwable cause() {
            return cause;
        }

        synchronized void add(Throwable e) {
            if (cause == null) {
                cause = e;
            } else if (cause != e) {
                cause.addSuppressed(e);
            }
        }
    }
}
