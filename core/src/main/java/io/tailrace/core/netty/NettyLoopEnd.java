// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.netty;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Tells of an event loop that ended under a channel. Shut down without a quiet period, a loop may drop its channels as
 * they are: nothing is closed, no promise completes, no handler is called, and whoever waits would wait for ever.
 *
 * <p><b>Threads.</b> Any watches. The end is told on the executor given or, when that refuses because it has ended too,
 * on Netty's termination thread: then it comes after all that ran there.
 */
public final class NettyLoopEnd {

    private final Channel channel;
    private final Executor executor;
    private final Runnable ended;
    private final AtomicReference<@Nullable EventLoop> watched = new AtomicReference<>();

    /** Runs {@code ended} when the channel's loop has ended and the channel was not closed before; harmless if it was. */
    public NettyLoopEnd(Channel channel, Executor executor, Runnable ended) {
        this.channel = channel;
        this.executor = executor;
        this.ended = ended;
    }

    /** Watches the loop that the channel is registered with now; to be called again for another one. */
    public void watch() {
        EventLoop loop = channel.eventLoop();
        if (watched.getAndSet(loop) == loop) {
            return;
        }
        GenericFutureListener<Future<Object>> listener = end -> tell(loop);
        try {
            loop.terminationFuture().addListener(listener);
        } catch (UnsupportedOperationException e) {
            return; // the loop of an embedded channel never ends
        }
        channel.closeFuture().addListener(closed -> loop.terminationFuture().removeListener(listener));
    }

    private void tell(EventLoop loop) {
        if (channel.eventLoop() != loop) {
            return; // the channel lives on another
        }
        try {
            executor.execute(ended);
        } catch (RejectedExecutionException e) {
            ended.run();
        }
    }
}
