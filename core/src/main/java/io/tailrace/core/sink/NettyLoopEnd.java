// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;

/**
 * Tells of an event loop that ended under a channel. Shut down without a quiet period, a loop may drop its channels as
 * they are: nothing is closed, no promise completes, no handler is called, and whoever waits would wait for ever.
 */
final class NettyLoopEnd {

    private NettyLoopEnd() {}

    /** Runs {@code ended} on a thread of Netty's when the loop has ended and the channel was not closed before. */
    static void watch(Channel channel, Runnable ended) {
        EventLoop loop = channel.eventLoop();
        GenericFutureListener<Future<Object>> listener = end -> ended.run();
        try {
            loop.terminationFuture().addListener(listener);
        } catch (UnsupportedOperationException e) {
            return; // the loop of an embedded channel never ends
        }
        channel.closeFuture().addListener(closed -> loop.terminationFuture().removeListener(listener));
    }
}
