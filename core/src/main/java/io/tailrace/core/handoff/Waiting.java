// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A place where one thread waits for a condition that other threads make true: it spins first, then parks.
 *
 * <p><b>Threads.</b> Assumption: one thread at a time is in {@link #await}; whoever makes the condition true does so
 * before calling {@link #signal}, from any thread. Guarantee: a signal is never lost. The waiter announces itself, fences
 * and looks at the condition again before it parks; the signaller changes the condition, fences and then looks for a
 * waiter; so at least one of the two sees the other. Progress: {@code signal} never blocks, and costs a fence and one read
 * when nobody waits. A waiter needs the thread that answered its announcement to be scheduled again, nobody else.
 */
public final class Waiting {
    /** A deadline that never comes. */
    public static final long NO_DEADLINE = Long.MAX_VALUE;

    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 2);

    private static final VarHandle WAITER;

    static {
        try {
            WAITER = MethodHandles.lookup().findVarHandle(Waiting.class, "waiter", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Asked once: the answer takes a call into the system. */
    private static final boolean SEVERAL_PROCESSORS = Runtime.getRuntime().availableProcessors() > 1;

    private final int spins;

    /** The thread that parks or is about to. A signal takes it out, so that one sleep costs one unpark. */
    private volatile @Nullable Thread waiter;

    /** Spins only where another processor can make the condition true meanwhile. */
    public Waiting(int spins) {
        this.spins = SEVERAL_PROCESSORS ? spins : 0;
    }

    /**
     * Waits until the condition holds.
     *
     * @param ready evaluated on this thread, any number of times
     * @param deadlineNanos on the clock of {@link System#nanoTime}; 0 and {@link #NO_DEADLINE} mean none
     * @return true when the condition holds, false when the deadline came first
     * @throws InterruptedException also when interrupted before; the interrupt flag is then clear, as in the JDK
     */
    public boolean await(BooleanSupplier ready, long deadlineNanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        for (int i = 0; i < spins; i++) {
            if (ready.getAsBoolean()) {
                return true;
            }
            Thread.onSpinWait();
        }
        try {
            return park(ready, deadlineNanos);
        } finally {
            // Fails when a signal took this thread out already, or when another thread waits (see announce).
            WAITER.compareAndSet(this, Thread.currentThread(), null);
        }
    }

    private boolean park(BooleanSupplier ready, long deadlineNanos) throws InterruptedException {
        boolean timed = deadlineNanos != 0 && deadlineNanos != NO_DEADLINE;
        // Each turn announces anew: a signal may have taken the announcement out, and park may return for no reason.
        while (true) {
            announce();
            // Without this fence the condition could be read before the announcement is visible, and the signaller
            // would see no waiter: both pass, and this thread sleeps for ever.
            VarHandle.fullFence();
            if (ready.getAsBoolean()) {
                return true;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (!timed) {
                LockSupport.park(this);
                continue;
            }
            long left = deadlineNanos - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            LockSupport.parkNanos(this, left);
        }
    }

    private void announce() {
        Thread self = Thread.currentThread();
        Object other = WAITER.compareAndExchange(this, null, self);
        if (other != null && other != self) {
            throw new IllegalStateException(self + " may not wait: " + other + " waits already");
        }
    }

    /** A patience in nanoseconds, cut to what a deadline on {@link System#nanoTime} can express. */
    public static long nanos(Duration patience) {
        return patience.compareTo(LONGEST) < 0 ? patience.toNanos() : LONGEST.toNanos();
    }

    /** Wakes the waiter, if there is one, to look at its condition again. */
    public void signal() {
        VarHandle.fullFence();
        signalFenced();
    }

    /** The same for a caller that has just fenced: between its change of the condition and this call. */
    void signalFenced() {
        Thread thread = waiter;
        // The one that takes it out owes it the unpark. A later signal that finds nobody is not lost: the waiter, once
        // awake, announces itself before it looks.
        if (thread != null && WAITER.compareAndSet(this, thread, null)) {
            LockSupport.unpark(thread);
        }
    }

    /** Whether a thread has announced itself; out of date at once. */
    public boolean occupied() {
        return waiter != null;
    }
}
