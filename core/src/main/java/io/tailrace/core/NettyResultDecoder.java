// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.tailrace.core.netty.NettyGate;
import io.tailrace.core.netty.NettyLoopEnd;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A {@link ResultDecoder} in a Netty pipeline: decodes arriving bytes to verified payload, on the event loop.
 *
 * <p>The listener is called on the event loop, so it must neither wait nor run a codec there: it passes buffers on,
 * retained, and each counts in the window until it is released. To decode values, put a
 * {@link io.tailrace.core.sink.NettySource} into the pipeline instead and read it with a {@link ResultReader}.
 *
 * <p>When window or budget is spent, the rest of what arrived is kept and the channel is not read until a chunk comes
 * back: autoRead is off, and a read that the owner asks for, of the channel or behind this handler, is made then. When
 * framing is lost, or a stranger speaks (HTTP, TLS), the listener is told and the channel closed.
 *
 * <p><b>Ownership.</b> Arriving buffers are this handler's, released when decoded or when it is removed. The chunks are
 * its decoder's.
 *
 * <p><b>Threads.</b> The event loop alone, or the executor that this was added with. Chunks come back on any thread,
 * which only hands over to it. When the event loop is shut down in such haste that it drops the channel, the last
 * callback comes on Netty's termination thread, after all others.
 */
public final class NettyResultDecoder extends ChannelDuplexHandler {

    private static final Logger LOG = System.getLogger(NettyResultDecoder.class.getName());

    private final ResultReader.Builder settings;
    private final Told listener;
    private final ArrayDeque<ByteBuf> arrived = new ArrayDeque<>();
    private final NettyGate gate = new NettyGate();
    private final AtomicLong heldBytes = new AtomicLong();
    private @Nullable ResultDecoder decoder;
    private @Nullable NettyLoopEnd loopEnd;
    private boolean decoding;
    private boolean ended;

    /** For one channel; the settings are used when this is added to its pipeline. */
    public NettyResultDecoder(ResultReader.Builder settings, ResultListener listener) {
        this.settings = settings;
        this.listener = new Told(listener);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        decoder = settings.decoder(listener, () -> resumeLater(context));
        loopEnd = new NettyLoopEnd(context.channel(), task -> context.executor().execute(task), this::endOfInput);
        loopEnd.watch();
        if (!context.channel().isOpen()) {
            endOfInput(); // nobody will say so any more
        }
    }

    @Override
    public void channelRegistered(ChannelHandlerContext context) {
        if (loopEnd != null) {
            loopEnd.watch(); // it may be another loop's now
        }
        context.fireChannelRegistered();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object object) {
        if (!(object instanceof ByteBuf bytes)) {
            context.fireChannelRead(object);
            return;
        }
        if (ended) {
            bytes.release();
            return;
        }
        arrived.add(bytes);
        heldBytes.addAndGet(bytes.capacity());
        if (!gate.isShut()) {
            decode(context);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        endOfInput();
        context.fireChannelInactive();
    }

    /** With half-closure allowed, this is all that tells of the peer's end. */
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            endOfInput();
        }
        context.fireUserEventTriggered(event);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        end();
        gate.open(context); // whoever handles the channel now
    }

    /** An owner that asks for each read is answered when there is room. */
    @Override
    public void read(ChannelHandlerContext context) {
        gate.read(context);
    }

    /** Capacity of all buffers that have arrived and are not decoded; from any thread. */
    public long outsideBytes() {
        return heldBytes.get();
    }

    private void decode(ChannelHandlerContext context) {
        ResultDecoder to = decoder;
        if (to == null || decoding) {
            return;
        }
        decoding = true;
        boolean more = true;
        try {
            while (more && !ended && !arrived.isEmpty()) {
                more = to.accept(arrived.element());
                if (more) {
                    releaseOne();
                }
            }
        } catch (Throwable e) {
            if (!ended) {
                fail(context, e);
            } else if (!(e instanceof ResultException)) {
                context.fireExceptionCaught(e); // else it is what the listener was told when it ended this
            }
        } finally {
            decoding = false;
            if (ended) {
                releaseAll();
            }
        }
        if (more || ended) {
            gate.open(context);
        } else {
            gate.shut(context);
        }
    }

    /** The stream is over, by what it brought or by a fault on this side. */
    private void fail(ChannelHandlerContext context, Throwable e) {
        end("the receiver failed", e);
        if (!(e instanceof ResultException)) {
            context.fireExceptionCaught(e);
        }
        context.close().addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    private void endOfInput() {
        ResultDecoder to = decoder;
        if (to == null || ended) {
            return;
        }
        if (!arrived.isEmpty()) {
            end("the channel ended before all was decoded", null);
            return;
        }
        try {
            to.endOfInput();
        } catch (ResultException e) {
            listener.tell(e);
        }
        end();
    }

    /** Ends, and tells of it whether a result is open or not. */
    private void end(String reason, @Nullable Throwable cause) {
        ended = true;
        ResultDecoder to = decoder;
        if (to != null) {
            listener.tell(to.giveUp(reason, cause));
        }
        end();
    }

    /** Nothing more is decoded; a result that is open fails. Works from a callback, too. */
    private void end() {
        ended = true;
        ResultDecoder last = decoder;
        if (last != null) {
            last.close();
        }
        if (!decoding) {
            releaseAll(); // else the decoder is still in one of them
        }
    }

    private void releaseAll() {
        while (!arrived.isEmpty()) {
            releaseOne();
        }
    }

    private void releaseOne() {
        ByteBuf done = arrived.remove();
        heldBytes.addAndGet(-done.capacity());
        done.release();
    }

    /** On the thread that gave a chunk back. */
    private void resumeLater(ChannelHandlerContext context) {
        try {
            context.executor().execute(() -> decode(context));
        } catch (RejectedExecutionException e) {
            LOG.log(Level.DEBUG, "a chunk came back after the event loop's end", e);
        }
    }

    /** Passes all on, and knows what was told. */
    private static final class Told implements ResultListener {
        private final ResultListener listener;
        private @Nullable ResultException last;

        Told(ResultListener listener) {
            this.listener = listener;
        }

        @Override
        public void onOpen(ResultId id, String codecId) throws IOException {
            listener.onOpen(id, codecId);
        }

        @Override
        public void onPayload(ByteBuf payload) throws IOException {
            listener.onPayload(payload);
        }

        @Override
        public void onTrailer(ByteBuf trailer) throws IOException {
            listener.onTrailer(trailer);
        }

        @Override
        public void onEnd(ResultSummary summary) throws IOException {
            listener.onEnd(summary);
        }

        @Override
        public void onFailure(@Nullable ResultId id, ResultException failure) {
            last = failure;
            listener.onFailure(id, failure);
        }

        /** Tells of the stream's failure, unless the open result's was told with it. */
        @SuppressWarnings("ReferenceEquality") // whether it is the one, not whether it is alike
        void tell(ResultException failure) {
            if (last != failure) {
                new ListenerCalls(this).failure(null, failure); // whatever it throws, the channel's end goes on
            }
        }
    }
}
