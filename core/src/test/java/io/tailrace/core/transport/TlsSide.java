// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLSession;

/**
 * One end of a connection under TLS: an {@link SslHandler}, and this behind it. It closes nothing of itself.
 *
 * <p><b>Threads.</b> The event loop tells; the test's thread waits.
 */
final class TlsSide extends ChannelInboundHandlerAdapter {

    private final Channel channel;
    private final SslHandler handler;
    private final CompletableFuture<SslHandler> connected = new CompletableFuture<>();
    private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    private final CompletableFuture<String> received = new CompletableFuture<>();

    TlsSide(Channel channel, SslHandler handler) {
        this.channel = channel;
        this.handler = handler;
        channel.pipeline().addLast(handler, this);
        handler.handshakeFuture().addListener(done -> {
            if (done.isSuccess()) {
                connected.complete(handler);
            } else {
                connected.completeExceptionally(done.cause());
                failure.complete(done.cause());
            }
        });
    }

    /** Waits for the handshake. */
    SSLSession session() throws Exception {
        return connected.get(10, TimeUnit.SECONDS).engine().getSession();
    }

    /** What went wrong: in the handshake or, as TLS 1.3 has it for a client whose certificate is refused, behind it. */
    Throwable failure() throws Exception {
        return failure.get(10, TimeUnit.SECONDS);
    }

    boolean hasFailed() {
        return failure.isDone();
    }

    void awaitClose() throws Exception {
        if (!channel.closeFuture().await(10, TimeUnit.SECONDS)) {
            throw new TimeoutException("the channel is still open");
        }
    }

    void send(String text) throws Exception {
        channel.writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8))
                .sync();
    }

    /** A few bytes, in one piece. */
    String received() throws Exception {
        return received.get(10, TimeUnit.SECONDS);
    }

    boolean hasReceived() {
        return received.isDone();
    }

    byte[] endPoint() throws Exception {
        return TransportTls.endPoint(handler.engine());
    }

    void close() {
        channel.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            received.complete(bytes.toString(StandardCharsets.UTF_8));
        } finally {
            bytes.release();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        failure.complete(cause);
    }
}
