// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.lang.invoke.VarHandle;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for a connection's loop: one task of the loop drains it, however much has come.
 *
 * <p><b>Threads.</b> Any thread offers, the loop takes. {@code awake} is cleared before the queue is drained and set before
 * a task is given to the loop, behind the offer; so whoever finds it set knows that a drain is still to begin. While
 * {@code expecting} is set a drain is still to begin, too; the loop itself sets it, and clears it before that drain. Either flag is
 * read behind a full fence: the queue publishes an element with no more than a release, which a later read may overtake, and that
 * drain could miss it.
 */
final class Mailbox<E> {

    private final MpscUnboundedVarHandleArrayQueue<E> queue = new MpscUnboundedVarHandleArrayQueue<>(256);
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AtomicBoolean expecting = new AtomicBoolean();
    private final Loop loop;
    private final Runnable drain;
    private final Runnable drainLater;
    private boolean over;

    Mailbox(Loop loop, Runnable drain) {
        this.loop = loop;
        this.drain = drain;
        this.drainLater = () -> {
            expecting.set(false);
            drain.run();
        };
    }

    void offer(E element) {
        queue.offer(element);
        VarHandle.fullFence();
        wake();
    }

    /** The same for what can wait for company, if any is expected. */
    void offerSoon(E element) {
        queue.offer(element);
        VarHandle.fullFence();
        wakeSoon();
    }

    /** Has the loop drain when it meant to, if it {@linkplain #expectMore expects more}; else as {@link #wake}. */
    void wakeSoon() {
        if (!expecting.get()) {
            wake();
        }
    }

    /** More is likely to come: the loop drains {@linkplain Loop#executeSoon a little later}, woken or not. On the loop. */
    void expectMore() {
        if (!over && expecting.compareAndSet(false, true)) {
            try {
                loop.executeSoon(drainLater);
            } catch (RejectedExecutionException e) {
                expecting.set(false);
            }
        }
    }

    boolean expectsMore() {
        return expecting.get();
    }

    /** Nothing waits for company any more. On the loop. */
    void expectNothing() {
        over = true;
        if (expecting.getAndSet(false)) {
            wake(); // a loop that ends forgets what it meant to do later
        }
    }

    /** Has the loop drain soon; a loop that has ended takes nothing, and its connection is lost anyway. */
    void wake() {
        if (!awake.get() && awake.compareAndSet(false, true)) {
            try {
                loop.execute(drain);
            } catch (RejectedExecutionException e) {
                awake.set(false);
            }
        }
    }

    /** To be called first in a drain. */
    void begin() {
        awake.set(false);
    }

    @Nullable
    E poll() {
        return queue.relaxedPoll();
    }

    /** The same, waiting for one that is being offered right now: for a last drain, behind which nobody looks again. */
    @Nullable
    E pollAll() {
        return queue.poll();
    }
}
