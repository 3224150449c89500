// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Two NIO event loops and one loopback connection: Netty at one end, a blocking channel at the other. */
public final class NettyLoop implements AutoCloseable {

    /** What the kernel is asked to hold of what was sent: two of loopback's largest pieces, lest acknowledgements wait. */
    private static final int SENT_BYTES = 128 << 10;

    private static final int RECEIVED_BYTES = 16 << 10;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(
            2, new DefaultThreadFactory("tailrace-loop", true), NioIoHandler.newFactory());
    private final Channel netty;
    private final SocketChannel plain;

    private NettyLoop(Consumer<Channel> initializer) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVED_BYTES);
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            netty = new Bootstrap()
                    .group(group)
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.SO_SNDBUF, SENT_BYTES)
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            initializer.accept(channel);
                        }
                    })
                    .connect(server.getLocalAddress())
                    .sync()
                    .channel();
            plain = server.accept();
            plain.setOption(StandardSocketOptions.SO_SNDBUF, SENT_BYTES);
        }
    }

    public static NettyLoop open() throws Exception {
        return open(channel -> {});
    }

    public static NettyLoop open(Consumer<Channel> initializer) throws Exception {
        return new NettyLoop(initializer);
    }

    public EventLoopGroup group() {
        return group;
    }

    public Channel netty() {
        return netty;
    }

    public SocketChannel plain() {
        return plain;
    }

    /** Runs on the channel's event loop, and waits for it. */
    public void onLoop(Runnable task) throws Exception {
        netty.eventLoop().submit(task).sync();
    }

    /** Ends both event loops, and so the channel. */
    public void shutDown() {
        end(20);
        awaitEnd();
    }

    /** Ends both event loops at once and from inside, in which Netty leaves the channel as it is, and what it holds. */
    public void kill() {
        netty.eventLoop().execute(() -> end(0));
        awaitEnd();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the group keeps it
    private void end(int quietMillis) {
        group.shutdownGracefully(quietMillis, 5000, TimeUnit.MILLISECONDS);
    }

    private void awaitEnd() {
        group.terminationFuture().awaitUninterruptibly(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws IOException {
        plain.close();
        netty.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
        shutDown();
    }
}
