// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.Future;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.mux.Connection;
import io.tailrace.core.mux.Departure;
import io.tailrace.core.mux.FileSlice;
import io.tailrace.core.mux.Link;
import io.tailrace.core.mux.MuxSettings;
import io.tailrace.core.mux.Region;
import io.tailrace.core.mux.Tally;
import io.tailrace.core.netty.NettyLoopEnd;
import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
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

    private static final Logger LOG = System.getLogger(NettyConnection.class.getName());

    private static final int NONCE_LENGTH = 32;

    /** How long a peer may take to read the last words. */
    private static final long LINGER_MILLIS = 2_000;

    /** How long a closing end waits for its farewell to be written. */
    private static final long FAREWELL_MILLIS = 500;

    /** Looks at the time so many times in a heartbeat. */
    private static final int TICKS = 8;

    private final MuxSettings settings;
    private final boolean encrypted;
    private final SecureRandom random;
    private final BiFunction<NettyConnection, Channel, Connection> maker;
    private final ChannelFutureListener closeOnFailure = this::closeOnFailure;
    private volatile @Nullable Connection connection; // read by who closes
    private @Nullable Channel channel;
    private @Nullable ScheduledFuture<?> ticks;
    private boolean started;

    /** @param encrypted whether there is TLS below, which tells when to begin */
    NettyConnection(
            MuxSettings settings,
            boolean encrypted,
            SecureRandom random,
            BiFunction<NettyConnection, Channel, Connection> maker) {
        this.settings = settings;
        this.encrypted = encrypted;
        this.random = random;
        this.maker = maker;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
        connection = maker.apply(this, context.channel());
        if (context.channel().isActive() && !encrypted) {
            start(new byte[0]);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (!encrypted) {
            start(new byte[0]);
        }
        context.fireChannelActive();
    }

    /** The TLS below has not come about. */
    void failed(Throwable cause) {
        lost(cause);
    }

    /** Greets; to be called by the TLS below, where there is one, when it has made its handshake. */
    void start(byte[] binding) {
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
        long shortest =
                Math.min(settings.handshakeLimit(), settings.heartbeat() == 0 ? Long.MAX_VALUE : settings.heartbeat());
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

    /**
     * A peer that does not read what it is told is not read either. That is for the accepting end, which only answers: if
     * both ends did so, each could wait for the other.
     */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        Channel over = context.channel();
        if (over.parent() != null) {
            over.config().setAutoRead(over.isWritable());
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Throwable inside = cause.getCause();
        lost(inside instanceof IOException ? inside : cause); // a decoder's exception has the TLS's inside
        context.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        lost(null);
    }

    /** Says farewell on all these channels, and waits for a moment until their peers have read it. */
    static void endAll(Collection<Channel> channels, ByeReason reason) {
        List<ChannelFuture> ends = new ArrayList<>();
        for (Channel over : channels) {
            NettyConnection end = over.pipeline().get(NettyConnection.class);
            Connection spoken = end == null ? null : end.connection;
            if (spoken != null && over.isActive()) {
                try {
                    over.eventLoop().execute(() -> spoken.close(reason, ""));
                    ends.add(over.closeFuture());
                } catch (RejectedExecutionException e) {
                    LOG.log(Level.DEBUG, "its loop has ended before a connection", e);
                }
            }
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FAREWELL_MILLIS);
        for (ChannelFuture end : ends) {
            if (!end.channel().eventLoop().inEventLoop()) {
                end.awaitUninterruptibly(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            }
        }
    }

    /** What those of them have counted whose peer has proved who it is; from any thread. */
    static List<ConnectionCounters> countersOf(Collection<Channel> channels, long diskBytes) {
        List<ConnectionCounters> all = new ArrayList<>();
        for (Channel over : channels) {
            NettyConnection end = over.pipeline().get(NettyConnection.class);
            Connection counting = end == null ? null : end.connection;
            SocketAddress address = over.remoteAddress();
            String peer = counting == null ? null : counting.openedBy();
            if (counting != null && address != null && peer != null) {
                all.add(counters(peer, address, counting.tally(), diskBytes));
            }
        }
        return List.copyOf(all);
    }

    private static ConnectionCounters counters(String peer, SocketAddress address, Tally tally, long diskBytes) {
        return new ConnectionCounters(
                peer,
                address,
                tally.sentBytes.get(),
                tally.sentFrames.get(),
                tally.receivedBytes.get(),
                tally.receivedFrames.get(),
                tally.resultsBegun.get(),
                tally.resultsAccepted.get(),
                tally.resultsFailed.get(),
                tally.sharedCredit.get(),
                tally.ownCredit.get(),
                tally.inside.get(),
                tally.backlog.sum(),
                tally.spilled.sum(),
                diskBytes);
    }

    private void lost(@Nullable Throwable cause) {
        ScheduledFuture<?> timer = ticks;
        if (timer != null) {
            timer.cancel(false);
        }
        Connection mine = connection;
        try {
            if (mine != null) {
                mine.lost(cause);
            }
        } finally {
            Channel over = channel;
            if (over != null && over.isOpen() && cause != null) {
                over.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
            }
        }
    }

    @Override
    public void write(Departure frames) {
        ChannelFuture last;
        try {
            last = frames instanceof Region region ? writeRegion(region) : writeSlice((FileSlice) frames);
        } catch (IOException e) {
            last = required().newFailedFuture(e);
        }
        last.addListener(done -> written(frames, done.cause()));
    }

    private ChannelFuture writeRegion(Region region) {
        ByteBuf bytes = region.chunk().retainedSlice(region.from(), region.length());
        ByteBuffer body = region.body();
        if (body != null) {
            // One write: a socket copies both into one piece of direct memory; a peer within the process reads the very
            // buffers, so both must stay until both are read.
            bytes = Unpooled.wrappedBuffer(bytes, Unpooled.wrappedBuffer(body.duplicate()));
        }
        return required().write(bytes);
    }

    /** The kernel sends it from the file where it can; under TLS, and within the process, it goes through memory of Netty's. */
    private ChannelFuture writeSlice(FileSlice slice) throws IOException {
        Channel over = required();
        if (over instanceof NioSocketChannel && !encrypted) {
            return over.write(new KeptFile(slice));
        }
        ByteBuf bytes = over.alloc().directBuffer(slice.wireBytes());
        try {
            long at = slice.position();
            while (bytes.isWritable() && bytes.readableBytes() < slice.wireBytes()) {
                int read = bytes.writeBytes(
                        slice.channel(), at + bytes.readableBytes(), slice.wireBytes() - bytes.readableBytes());
                if (read < 0) {
                    throw new EOFException(
                            "a spill file was cut: " + bytes.readableBytes() + " of " + slice.wireBytes());
                }
            }
        } catch (Throwable e) {
            bytes.release();
            throw e;
        }
        return over.write(bytes);
    }

    /** A part of a file that stays open behind it. */
    private static final class KeptFile extends DefaultFileRegion {
        KeptFile(FileSlice slice) throws IOException {
            super(slice.channel(), slice.position(), slice.wireBytes());
        }

        @Override
        protected void deallocate() {
            // The file is the slice's.
        }
    }

    private void written(Departure frames, @Nullable Throwable cause) {
        frames.release();
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
        Channel over = required();
        over.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        // A peer that does not read would keep it open for ever.
        Runnable force = () -> over.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
        Future<?> last = over.eventLoop().schedule(force, LINGER_MILLIS, TimeUnit.MILLISECONDS);
        over.closeFuture().addListener(closed -> last.cancel(false));
    }

    private Channel required() {
        Channel over = channel;
        if (over == null) {
            throw new IllegalStateException("not in a pipeline");
        }
        return over;
    }
}
