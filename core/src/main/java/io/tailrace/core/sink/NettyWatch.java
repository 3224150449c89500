// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.tailrace.core.netty.NettyLoopEnd;
import java.util.NoSuchElementException;
import java.util.concurrent.RejectedExecutionException;

/**
 * The handler by which a {@link NettySink} learns what happens to its channel; it passes every event on. With it, the
 * channel is given the sink's settings and gets its own back.
 *
 * <p><b>Threads.</b> Whoever opens the sink enters, any thread leaves, once; the event loop tells what happens, or
 * Netty's termination thread that it has ended. All that is called of the sink's is for any thread.
 */
final class NettyWatch extends ChannelInboundHandlerAdapter {

    static final String NAME = "io.tailrace.NettySink";

    /** What Netty counts beside the bytes of a chunk's writes, its body's write included; less than that. */
    private static final int WRITE_OVERHEAD = 512;

    private final Channel channel;
    private final Runnable changed;
    private final Runnable removed;
    private final NettyLoopEnd loopEnd;
    private final ByteBufAllocator formerAllocator;
    private final WriteBufferWaterMark formerMark;
    private volatile boolean left;

    NettyWatch(Channel channel, Runnable changed, Runnable removed, Runnable loopEnded) {
        this.channel = channel;
        this.changed = changed;
        this.removed = removed;
        this.loopEnd = new NettyLoopEnd(channel, Runnable::run, loopEnded);
        this.formerAllocator = channel.config().getAllocator();
        this.formerMark = channel.config().getWriteBufferWaterMark();
    }

    void enter(NettyMemory memory, int chunks) {
        // First, so that no other handler can keep the channel's events from it.
        channel.pipeline().addFirst(NAME, this);
        channel.config().setAllocator(memory.allocator());
        long enough = Math.min((long) chunks * (memory.chunkBytes() + WRITE_OVERHEAD), Integer.MAX_VALUE);
        if (formerMark.high() < enough) {
            int low = Math.max(formerMark.low(), (int) enough / 2);
            channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(low, (int) enough));
        }
        loopEnd.watch();
    }

    /** Leaves the pipeline, if the channel's end has not emptied it. */
    void leave() {
        left = true;
        channel.config().setAllocator(formerAllocator);
        channel.config().setWriteBufferWaterMark(formerMark);
        if (channel.pipeline().context(this) != null) {
            try {
                channel.pipeline().remove(this);
            } catch (NoSuchElementException | RejectedExecutionException e) {
                changed.run(); // the channel's end, or its event loop's, came between
            }
        }
    }

    @Override
    public void channelRegistered(ChannelHandlerContext context) {
        loopEnd.watch();
        context.fireChannelRegistered();
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
