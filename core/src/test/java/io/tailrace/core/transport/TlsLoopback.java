// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** A server's port on loopback with TLS, and clients of it: over real sockets, in NIO event loops that end with this. */
final class TlsLoopback implements AutoCloseable {

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(
            2, new DefaultThreadFactory("tailrace-tls", true), NioIoHandler.newFactory());
    private final BlockingQueue<TlsSide> accepted = new LinkedBlockingQueue<>();
    private final Queue<TlsSide> clients = new ConcurrentLinkedQueue<>();
    private final Channel port;

    TlsLoopback(Function<ByteBufAllocator, SslHandler> server) {
        port = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted.add(new TlsSide(channel, server.apply(channel.alloc())));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) port.localAddress();
    }

    TlsSide connect(Function<ByteBufAllocator, SslHandler> client) {
        return connect(client, address());
    }

    TlsSide connect(Function<ByteBufAllocator, SslHandler> client, SocketAddress address) {
        new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        clients.add(new TlsSide(channel, client.apply(channel.alloc())));
                    }
                })
                .connect(address)
                .syncUninterruptibly();
        return clients.remove();
    }

    /** The server's side of the connection accepted next. */
    TlsSide accepted() throws Exception {
        TlsSide side = accepted.poll(10, TimeUnit.SECONDS);
        if (side == null) {
            throw new TimeoutException("nobody has connected");
        }
        return side;
    }

    /** Ends the event loops, and so every channel. */
    @Override
    public void close() {
        group.shutdownGracefully(20, 5000, TimeUnit.MILLISECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
    }
}
