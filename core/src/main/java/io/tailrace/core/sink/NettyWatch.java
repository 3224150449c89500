// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.util.NoSuchElementException;
import java.util.concurrent.RejectedExecutionException;

/** The handler by which a {@link NettySink} learns what happens to its channel; it passes every event on. */
final class NettyWatch extends ChannelInboundHandlerAdapter {

    static final String NAME = "io.tailrace.NettySink";

    private final Runnable changed;
    private final Runnable removed;
    private volatile boolean left;

    NettyWatch(Runnable changed, Runnable removed) {
        this.changed = changed;
        this.removed = removed;
    }

    /** Leaves the pipeline, if the channel's end has not emptied it. */
    void leave(ChannelPipeline pipeline) {
        left = true;
        if (pipeline.context(this) != null) {
            try {
                pipeline.remove(this);
            } catch (NoSuchElementException | RejectedExecutionException e) {
                changed.run(); // the channel's end, or its event loop's, came between
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        changed.run();
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        changed.run();
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        changed.run();
        context.fireExceptionCaught(cause);
    }

    /** Without it nobody would wake the sending thread. */
    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        if (!left && context.channel().isActive()) {
            removed.run();
        }
    }
}
