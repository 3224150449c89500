// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.local.LocalChannel;
import io.tailrace.core.mux.Connection;
import io.tailrace.core.mux.Link;
import io.tailrace.core.mux.MuxSettings;
import io.tailrace.core.mux.Region;
import io.tailrace.core.netty.NettyLoopEnd;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Connection} at the end of a Netty pipeline.
 *
 * <p><b>Ownership.</b> Arriving buffers are released when the connection has taken their bytes. A region is held until its
 * write promise is complete: over a socket Netty has copied a heap chunk by then long since, but only then are the bytes out.
 * Within the process the peer is given the chunk itself, and a reference with it.
 *
 * <p><b>Threads.</b> The event loop alone. When that is shut down in such haste that it drops the channel, the end is told on
 * Netty's termination thread, after all else.
 */
final class NettyConnection extends ChannelInboundHandlerAdapter implements Link {

    private static final int NONCE_LENGTH = 32;

    /** Looks at the time so many times in a heartbeat. */
    private static final int TICKS = 8;

    private final MuxSettings settings;
    private final SecureRandom random;
    private final BiFunction<NettyConnection, Channel, Connection> maker;
    private final ChannelFutureListener closeOnFailure = this::closeOnFailure;
    private @Nullable Connection connection;
    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> ticks;
    private boolean started;

    NettyConnection(
            MuxSettings settings, SecureRandom random, BiFunction<NettyConnection, Channel, Connection> maker) {
        this.settings = settings;
        this.random = random;
        this.maker = maker;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
        connection = maker.apply(this, context.channel());
        if (context.channel().isActive()) {
            start(new byte[0]);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        start(new byte[0]);
        context.fireChannelActive();
    }

    private void start(byte[] binding) {
        Connection mine = connection;
        Channel over = channel;
        if (started || mine == null || over == null) {
            return;
        }
        started = true;
        new NettyLoopEnd(over, task -> over.eventLoop().execute(task), () -> lost(null)).watch();
        byte[] nonce = new byte[NONCE_LENGTH];
        random.nextBytes(nonce);
        mine.start(nonce, binding);
        long shortest = Math.min(
                settings.handshakeLimit(), settings.heartbeat() == 0 ? Long.MAX_VALUE : settings.heartbeat());
        long period = Math.max(TimeUnit.MILLISECONDS.toNanos(1), shortest / TICKS);
        ticks = over.eventLoop().scheduleAtFixedRate(mine::tick, period, period, TimeUnit.NANOSECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object object) {
        if (!(object instanceof ByteBuf bytes)) {
            context.fireChannelRead(object);
            return;
        }
        Connection mine = connection;
        try {
            if (mine != null) {
                if (bytes.nioBufferCount() == 1) {
                    mine.received(bytes.nioBuffer());
                } else {
                    for (ByteBuffer part : bytes.nioBuffers()) {
                        mine.received(part);
                    }
                }
            }
        } finally {
            bytes.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        Connection mine = connection;
        if (mine != null) {
            mine.receivedAll();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        lost(null);
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        lost(cause);
        context.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        lost(null);
    }

    private void lost(@Nullable Throwable cause) {
        ScheduledFuture<?> timer = ticks;
        if (timer != null) {
            timer.cancel(false);
        }
        Connection mine = connection;
        if (mine != null) {
            mine.lost(cause);
        }
    }

    @Override
    public void write(Region region) {
        Channel over = required();
        ByteBuf bytes = region.chunk().retainedSlice(region.from(), region.length());
        ByteBuffer body = region.body();
        if (body != null && over instanceof LocalChannel) {
            // The peer reads the very buffers: both parts must stay until both are read.
            bytes = Unpooled.wrappedBuffer(bytes, Unpooled.wrappedBuffer(body.duplicate()));
            body = null;
        }
        ChannelFuture last = over.write(bytes);
        if (body != null) {
            last.addListener(closeOnFailure);
            last = over.write(Unpooled.wrappedBuffer(body.duplicate()));
        }
        last.addListener(done -> written(region, done.cause()));
    }

    private void written(Region region, @Nullable Throwable cause) {
        region.release();
        Connection mine = connection;
        if (mine != null) {
            if (cause != null) {
                lost(cause);
            }
            mine.written();
        }
    }

    @Override
    public void write(ByteBuf frame) {
        required().write(frame).addListener(closeOnFailure);
    }

    private void closeOnFailure(ChannelFuture write) {
        if (write.cause() != null) {
            lost(write.cause());
        }
    }

    @Override
    public void flush() {
        required().flush();
    }

    @Override
    public void close() {
        required().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private Channel required() {
        Channel over = channel;
        if (over == null) {
            throw new IllegalStateException("not in a pipeline");
        }
        return over;
    }
}
