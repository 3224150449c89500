// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.EventExecutor;
import io.tailrace.core.frame.Gulps;
import io.tailrace.core.handoff.Handoff;
import io.tailrace.core.handoff.OfferResult;
import io.tailrace.core.netty.NettyGate;
import io.tailrace.core.netty.NettyLoopEnd;
import io.tailrace.core.netty.NettyThreads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A Netty handler whose arriving bytes a decoding thread reads as from a blocking channel.
 *
 * <pre>{@code
 * NettySource source = new NettySource();
 * channel.pipeline().addLast(source); // in the initializer, before its first bytes
 * Future<Long> sum = decoding.submit(() -> {
 *     try (source; ResultReader reader = ResultReader.builder(pool).open(source.channel())) {
 *         return sumOfLongs(reader);
 *     }
 * });
 * }</pre>
 *
 * <p>At most {@code buffers} buffers wait between the two threads; then the channel is not read until half of them are:
 * autoRead is off, and a read that the owner asks for, of the channel or behind this handler, is made then. A handler in
 * front of this one that makes several buffers of one read (TLS) may exceed that by the rest of that read.
 *
 * <p><b>Ownership.</b> A buffer is the event loop's until the hand-off accepts it, then the decoding thread's until its
 * last byte is read. {@link #close} gives all back; the channel stays the embedder's, and what arrives later is
 * released unread.
 *
 * <p><b>Threads.</b> The event loop offers, or the executor that this was added with; one decoding thread reads, never
 * one of the channel's event loop group, which would wait for itself; any thread closes. The event loop sets
 * {@code muted} and then looks at {@code waiting} once more; the reader lowers {@code waiting} and then looks at
 * {@code muted}: so either the loop reads on or the reader wakes it. {@code failure} and {@code rest} are written before
 * the hand-off is finished and read after its end was seen.
 */
public final class NettySource extends ChannelDuplexHandler implements AutoCloseable {

    /** Enough to read while one is decoded. */
    public static final int DEFAULT_BUFFERS = 4;

    private final SourceChannel channel = new SourceChannel();
    private final int buffers;
    private final Handoff<ByteBuf> handoff;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean muted = new AtomicBoolean();
    private final AtomicLong heldBytes = new AtomicLong();
    private final Leftovers current = new Leftovers(this::release);
    private final Leftovers rest = new Leftovers(this::release);
    private volatile @Nullable ChannelHandlerContext context;
    private volatile @Nullable NettyLoopEnd loopEnd;
    private volatile @Nullable Throwable failure;

    // The event loop's own.
    private final ArrayDeque<ByteBuf> overflow = new ArrayDeque<>();
    private final NettyGate gate = new NettyGate();
    private boolean ended;

    public NettySource() {
        this(DEFAULT_BUFFERS);
    }

    /** At most that many buffers wait, each as large as the channel's receive allocator makes it. */
    public NettySource(int buffers) {
        this.buffers = buffers;
        this.handoff = new Handoff<>(buffers, this::release);
    }

    /**
     * The bytes as they come, for one decoding thread; a {@code ResultReader} is lent them in place. An event loop of the
     * channel's group that reads it is refused with an {@link IllegalStateException}. Closing it is closing this.
     */
    public ReadableByteChannel channel() {
        return channel;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        NettyLoopEnd watch =
                new NettyLoopEnd(added.channel(), task -> added.executor().execute(task), this::end);
        loopEnd = watch;
        watch.watch();
        if (!added.channel().isOpen()) {
            end(); // nobody will say so any more
        }
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) {
        NettyLoopEnd watch = loopEnd;
        if (watch != null) {
            watch.watch(); // it may be another loop's now
        }
        ctx.fireChannelRegistered();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object arrived) {
        if (!(arrived instanceof ByteBuf bytes)) {
            ctx.fireChannelRead(arrived);
            return;
        }
        heldBytes.addAndGet(bytes.capacity());
        if (!bytes.isReadable() || ended) {
            release(bytes);
            return;
        }
        overflow.add(bytes);
        handOver();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        end();
        ctx.fireChannelInactive();
    }

    /** With half-closure allowed, this is all that tells of the peer's end. */
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            end();
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        end();
    }

    /** An owner that asks for each read is answered when there is room. */
    @Override
    public void read(ChannelHandlerContext ctx) {
        gate.read(ctx);
    }

    /** What broke the channel is told behind the bytes that came before. */
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        ctx.fireExceptionCaught(cause);
    }

    /** Capacity of all buffers that have arrived and are not read. */
    public long outsideBytes() {
        return heldBytes.get();
    }

    /** Gives back all buffers and wakes a blocked read; from any thread. One being read is given back by its reader. */
    @Override
    public void close() {
        handoff.cancel();
        current.close();
        rest.close();
        wakeEventLoop(); // what it holds back has no reader any more
    }

    /** The buffer being read, or the next one; null at the end. The caller has it alone until it is put back. */
    private @Nullable ByteBuf take() throws IOException {
        ByteBuf bytes = current.poll();
        if (bytes != null) {
            return bytes;
        }
        requireOtherThread();
        try {
            bytes = handoff.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for a Netty channel");
        }
        if (bytes != null) {
            if (waiting.decrementAndGet() <= buffers / 2 && muted.compareAndSet(true, false)) {
                wakeEventLoop();
            }
            return bytes;
        }
        bytes = rest.poll();
        if (bytes == null) {
            throwFailure();
        }
        return bytes;
    }

    private void requireOtherThread() {
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            NettyThreads.requireOther(ctx.executor());
            NettyThreads.requireOther(ctx.channel().eventLoop());
        }
    }

    private void throwFailure() throws IOException {
        if (handoff.cancelled()) {
            throw new ClosedChannelException();
        }
        Throwable cause = failure;
        if (cause != null) {
            throw new IOException("the Netty channel failed", cause);
        }
    }

    private void wakeEventLoop() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            return;
        }
        EventExecutor executor = ctx.executor();
        try {
            executor.execute(this::handOver);
        } catch (RejectedExecutionException e) {
            // The event loop has ended, and the channel with it: it holds nothing back.
            assert executor.isShuttingDown() : e;
        }
    }

    /** On the event loop: hands over what there is room for, and reads on or not accordingly. */
    private void handOver() {
        if (ended) {
            return; // what was left is the reader's already, and the channel's reading is others' business
        }
        offerAll();
        if (full()) {
            muted.set(true);
            offerAll(); // the reader may have made room before it could see the mark
            if (full()) {
                stopReading();
                return;
            }
            muted.set(false);
        }
        readOn();
    }

    private boolean full() {
        return waiting.get() >= buffers && !handoff.cancelled();
    }

    private void offerAll() {
        while (!overflow.isEmpty() && !full()) {
            waiting.incrementAndGet();
            ByteBuf bytes = overflow.remove();
            OfferResult offered = handoff.offer(bytes);
            if (offered != OfferResult.ACCEPTED) {
                release(bytes);
                assert offered == OfferResult.CANCELLED : offered;
            }
        }
    }

    private void stopReading() {
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            gate.shut(ctx);
        }
    }

    private void readOn() {
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            gate.open(ctx);
        }
    }

    /** On the event loop, or when that has ended: nothing more comes. */
    private void end() {
        if (ended) {
            return;
        }
        ended = true;
        rest.addAll(overflow);
        overflow.clear();
        handoff.finish();
        readOn(); // whoever handles the channel now
    }

    private void release(ByteBuf bytes) {
        heldBytes.addAndGet(-bytes.capacity());
        bytes.release();
    }

    /** The decoding thread's side. */
    private final class SourceChannel implements ReadableByteChannel, Gulps {
        private @Nullable ByteBuf lent;

        /**
         * Waits for bytes and reads what is there.
         *
         * @throws InterruptedIOException when interrupted while waiting; the flag is kept
         * @throws ClosedChannelException when this was closed, before or meanwhile
         */
        @Override
        public int read(ByteBuffer into) throws IOException {
            if (into.isReadOnly()) {
                throw new IllegalArgumentException("a read-only buffer cannot be read into");
            }
            if (!into.hasRemaining()) {
                return 0;
            }
            ByteBuf bytes = take();
            if (bytes == null) {
                return -1;
            }
            int length = Math.min(bytes.readableBytes(), into.remaining());
            int limit = into.limit();
            bytes.readBytes(into.limit(into.position() + length));
            into.limit(limit);
            if (bytes.isReadable()) {
                current.add(bytes);
            } else {
                release(bytes);
            }
            return length;
        }

        @Override
        public @Nullable ByteBuffer next() throws IOException {
            giveBack();
            ByteBuf bytes = take();
            lent = bytes;
            return bytes == null ? null : bytes.nioBuffer();
        }

        @Override
        public void giveBack() {
            ByteBuf used = lent;
            lent = null;
            if (used != null) {
                release(used);
            }
        }

        @Override
        public long outsideBytes() {
            return NettySource.this.outsideBytes();
        }

        @Override
        public boolean isOpen() {
            return !handoff.cancelled();
        }

        @Override
        public void close() {
            NettySource.this.close();
        }
    }
}
