// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What Netty's {@link SslHandler} carries by itself over loopback TCP: one array written again and again, and a receiver that
 * counts. Loops, options and gulps are as the transport has them.
 *
 * <p><b>Ownership.</b> What is written is a slice of an array on the heap; what comes is released at once.
 *
 * <p><b>Threads.</b> One for each end; a third begins and waits.
 */
final class TlsFloor implements AutoCloseable {

    private static final int LARGEST_GULP = 256 << 10;
    private static final int MOST_WAITING = 1 << 20;
    private static final long PATIENCE_SECONDS = 120;

    private final EventLoopGroup serverLoop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final EventLoopGroup clientLoop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Counter counter = new Counter();
    private final Filler filler = new Filler();
    private final Channel listening;
    private final Channel connected;

    TlsFloor(TlsParties parties) throws Exception {
        SslContext server = parties.bareServer();
        SslContext client = parties.bareClient();
        listening = new ServerBootstrap()
                .group(serverLoop)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, gulps())
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(server.newHandler(channel.alloc()), counter);
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync()
                .channel();
        InetSocketAddress address = (InetSocketAddress) listening.localAddress();
        connected = new Bootstrap()
                .group(clientLoop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, gulps())
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(MOST_WAITING / 2, MOST_WAITING))
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler tls = client.newHandler(
                                channel.alloc(), address.getAddress().getHostAddress(), address.getPort());
                        channel.pipeline().addLast(tls, filler);
                    }
                })
                .connect(address)
                .sync()
                .channel();
        connected.pipeline().get(SslHandler.class).handshakeFuture().sync();
    }

    private static AdaptiveRecvByteBufAllocator gulps() {
        return new AdaptiveRecvByteBufAllocator(1_024, 16 << 10, LARGEST_GULP);
    }

    /** So many bytes, in writes of that many; returns when all have been received. */
    long send(long bytes, int blockBytes) throws Exception {
        CompletableFuture<Long> received = counter.expect(bytes);
        ByteBuf block = Unpooled.wrappedBuffer(new byte[blockBytes]);
        connected.eventLoop().execute(() -> filler.begin(connected, block, bytes));
        return received.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        Ending.await("the client's connection", connected.close()::await);
        Ending.await("the server", listening.close()::await);
        Ending.await("the client's loop", clientLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS)::await);
        Ending.await("the server's loop", serverLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS)::await);
    }

    /** Writes as long as the channel takes more. */
    private static final class Filler extends ChannelInboundHandlerAdapter {
        private ByteBuf block = Unpooled.EMPTY_BUFFER;
        private long left;

        void begin(Channel channel, ByteBuf of, long bytes) {
            block = of;
            left = bytes;
            fill(channel);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            fill(context.channel());
            context.fireChannelWritabilityChanged();
        }

        private void fill(Channel channel) {
            boolean wrote = false;
            while (left > 0 && channel.isWritable()) {
                int length = (int) Math.min(left, block.readableBytes());
                left -= length;
                channel.write(block.retainedSlice(0, length)).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
                wrote = true;
            }
            if (wrote) {
                channel.flush();
            }
        }
    }

    /** Beyond the fields that both threads see, the loop's. */
    private static final class Counter extends ChannelInboundHandlerAdapter {
        private volatile CompletableFuture<Long> done = new CompletableFuture<>();
        private volatile long expected = Long.MAX_VALUE;
        private long received;

        /** Before any of it is sent. */
        CompletableFuture<Long> expect(long bytes) {
            CompletableFuture<Long> next = new CompletableFuture<>();
            done = next;
            expected = bytes;
            return next;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object object) throws IOException {
            if (!(object instanceof ByteBuf bytes)) {
                throw new IOException("not bytes: " + object);
            }
            received += bytes.readableBytes();
            bytes.release();
            if (received >= expected) {
                long all = received;
                received = 0;
                done.complete(all);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            done.completeExceptionally(new ClosedChannelException());
        }
    }
}
