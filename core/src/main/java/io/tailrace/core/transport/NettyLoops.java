// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.tailrace.core.mux.Loop;
import io.tailrace.core.sink.NettyMemory;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Event loops and memory of one end: the embedder's own, or made here and ended with it.
 *
 * <p><b>Threads.</b> Any.
 */
final class NettyLoops {

    /** A gulp of this size holds several chunks, so that one round of the loop serves many frames. */
    private static final int LARGEST_GULP = 256 << 10;

    private static final long PATIENCE_SECONDS = 10;

    /** A peer within the process hands its last tasks to these loops. */
    private static final long LOCAL_QUIET_MILLIS = 20;

    private static final int LONGEST_NAME = 255;

    private final EventLoopGroup group;
    private final boolean ours;
    private final boolean local;
    private final NettyMemory memory;

    private NettyLoops(EventLoopGroup group, boolean ours, boolean local, NettyMemory memory) {
        this.group = group;
        this.ours = ours;
        this.local = local;
        this.memory = memory;
    }

    static NettyLoops of(
            SocketAddress address,
            @Nullable EventLoopGroup given,
            int threads,
            ThreadFactory factory,
            int chunkBytes,
            boolean encrypted) {
        boolean local = address instanceof LocalAddress;
        EventLoopGroup group = given != null
                ? given
                : new MultiThreadIoEventLoopGroup(
                        threads, factory, local ? LocalIoHandler.newFactory() : NioIoHandler.newFactory());
        NettyMemory memory = encrypted ? NettyMemory.forTls(chunkBytes) : NettyMemory.forChunks(chunkBytes);
        return new NettyLoops(group, given == null, local, memory);
    }

    static Loop loop(Channel over) {
        EventLoop loop = over.eventLoop();
        return new Loop() {
            @Override
            public void execute(Runnable task) {
                loop.execute(task);
            }

            @Override
            @SuppressWarnings("FutureReturnValueIgnored") // the task answers for what it throws
            public void executeSoon(Runnable task) {
                loop.schedule(task, 1, TimeUnit.MILLISECONDS); // a selector knows no shorter time
            }
        };
    }

    EventLoopGroup group() {
        return group;
    }

    /** Direct memory of all connections, counted. */
    NettyMemory memory() {
        return memory;
    }

    Bootstrap client() {
        Bootstrap bootstrap = new Bootstrap()
                .group(group)
                .option(ChannelOption.ALLOCATOR, allocator())
                .option(ChannelOption.RECVBUF_ALLOCATOR, gulps());
        if (local) {
            return bootstrap.channel(LocalChannel.class);
        }
        return bootstrap.channel(NioSocketChannel.class).option(ChannelOption.TCP_NODELAY, true);
    }

    ServerBootstrap server() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .childOption(ChannelOption.ALLOCATOR, allocator())
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, gulps());
        if (local) {
            return bootstrap.channel(LocalServerChannel.class);
        }
        return bootstrap
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true);
    }

    private ByteBufAllocator allocator() {
        return memory.allocator();
    }

    private static AdaptiveRecvByteBufAllocator gulps() {
        return new AdaptiveRecvByteBufAllocator(1_024, 16 << 10, LARGEST_GULP);
    }

    /** Ends the loops that were made here, and waits for them unless it is called on one. */
    void close() {
        memory.close();
        if (!ours) {
            return;
        }
        Future<?> ended = group.shutdownGracefully(
                local ? LOCAL_QUIET_MILLIS : 0, PATIENCE_SECONDS * 1_000, TimeUnit.MILLISECONDS);
        boolean inside = false;
        for (EventExecutor each : group) {
            inside |= each.inEventLoop();
        }
        if (!inside) {
            ended.awaitUninterruptibly(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    static void requireAtLeast(int least, int actual, String what) {
        if (actual < least) {
            throw new IllegalArgumentException(what + ": " + actual + ", at least " + least);
        }
    }

    static void requireNotNegative(Duration time, String what) {
        if (time.isNegative()) {
            throw new IllegalArgumentException(what + ": " + time);
        }
    }

    static void requireName(String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > LONGEST_NAME) {
            throw new IllegalArgumentException("a name of " + bytes + " bytes: at most " + LONGEST_NAME);
        }
    }

    static long nanos(Duration time) {
        try {
            return time.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
