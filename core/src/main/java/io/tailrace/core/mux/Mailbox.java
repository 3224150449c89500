// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for a connection's loop: one task of the loop drains it, however much has come.
 *
 * <p><b>Threads.</b> Any thread offers, the loop takes. {@code awake} is cleared before the queue is drained and set before
 * a task is given to the loop, behind the offer; so whoever finds it set knows that a drain is still to begin.
 */
final class Mailbox<E> {

    private final MpscUnboundedVarHandleArrayQueue<E> queue = new MpscUnboundedVarHandleArrayQueue<>(256);
    private final AtomicBoolean awake = new AtomicBoolean();
    private final Executor loop;
    private final Runnable drain;

    Mailbox(Executor loop, Runnable drain) {
        this.loop = loop;
        this.drain = drain;
    }

    void offer(E element) {
        queue.offer(element);
        wake();
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
