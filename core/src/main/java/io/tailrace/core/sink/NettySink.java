// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.handoff.Waiting;
import io.tailrace.core.netty.NettyThreads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A sink into a Netty channel of the embedder's own, for the whole life of the connection: it writes the preamble.
 *
 * <p>At most k chunks are inside Netty at once, and none is given to it while the channel is not writable: then
 * {@link #write} waits. Netty's NIO transport copies heap memory into direct memory as soon as it is given a chunk; that
 * memory comes from the {@link NettyMemory} given, and amounts to k chunks at most. An out-of-band body in direct memory
 * is not copied.
 *
 * <p>An interrupt leaves the sink sound: whole frames have been given away, or none. Every other failure is final.
 *
 * <p><b>Ownership.</b> A chunk is retained until its write promise is complete, so it counts in window and budget that
 * long. The channel stays the embedder's: {@link #close} does not close it, nor take back what is inside Netty. While
 * this sink is open the channel allocates from the memory given, its first handler is one of ours, and its high water
 * mark is k chunks at least: at Netty's 64 KiB it would stop at each chunk.
 *
 * <p><b>Threads.</b> One sending thread, never one of the channel's event loop group: it would wait for itself. The
 * event loop completes promises and releases chunks; any thread closes. What the sending thread waits for, promises,
 * writability, the channel's end and the close, is changed first and signalled then.
 */
public final class NettySink implements FrameSink {

    /** Enough for the event loop to write while the next chunks are encoded. */
    public static final int DEFAULT_CHUNKS_INSIDE = 4;

    /** Handlers of the embedder's may hold writes back for ever, even of a channel that is gone. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Channel channel;
    private final NettyMemory memory;
    private final int chunksInside;
    private final NettyWatch watch;
    private final Waiting waiting = new Waiting(1_000);
    private final Set<Departure> departures = ConcurrentHashMap.newKeySet();
    private final AtomicInteger inside = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private boolean preambleOut;

    private NettySink(Channel channel, NettyMemory memory, int chunksInside) {
        this.channel = channel;
        this.memory = memory;
        this.chunksInside = chunksInside;
        this.watch = new NettyWatch(
                channel,
                waiting::signal,
                () -> fail(new IllegalStateException("the handler was removed")),
                this::abandon);
    }

    /** For a connected channel that nothing has been written to. */
    public static NettySink open(Channel channel, NettyMemory memory) {
        return open(channel, memory, DEFAULT_CHUNKS_INSIDE);
    }

    /**
     * The same with another k.
     *
     * @throws IllegalArgumentException when the channel has such a sink already
     */
    public static NettySink open(Channel channel, NettyMemory memory, int chunksInside) {
        if (chunksInside < 1) {
            throw new IllegalArgumentException("at most " + chunksInside + " chunks inside Netty");
        }
        NettySink sink = new NettySink(channel, memory, chunksInside);
        sink.watch.enter(memory, chunksInside);
        return sink;
    }

    /**
     * Gives all frames to Netty, waiting for room before each chunk.
     *
     * @throws IllegalStateException on a thread of the channel's event loop group
     * @throws InterruptedIOException when interrupted while waiting; the flag is kept
     */
    @Override
    public void write(FrameBatch batch) throws IOException {
        NettyThreads.requireOther(channel.eventLoop());
        for (int i = 0; i < batch.size(); i++) {
            requireSound();
            if (!room()) {
                await(() -> room() || ended());
                requireSound();
            }
            depart(batch.get(i));
        }
    }

    /** Waits until the writes of all chunks have completed. */
    @Override
    public void complete() throws IOException {
        NettyThreads.requireOther(channel.eventLoop());
        if (!written()) {
            await(this::written);
        }
        if (inside.get() != 0) {
            settle();
        }
        requireNoFailure();
        if (inside.get() != 0) {
            throw new IOException("the sink was closed before all was written");
        }
    }

    /** Direct memory that Netty uses for all channels that share this sink's {@link NettyMemory}. */
    @Override
    public long outsideBytes() {
        return memory.usedBytes();
    }

    /** Chunks whose write promise is not complete. */
    public int chunksInside() {
        return inside.get();
    }

    /** Lets go of the channel, which stays open; from any thread. What Netty was given it goes on writing. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        waiting.signal();
        watch.leave();
    }

    private void depart(Chunk chunk) {
        if (!preambleOut) {
            preambleOut = true;
            channel.write(Unpooled.wrappedBuffer(FrameBatch.preamble(FrameBatch.Purpose.CONNECTION)))
                    .addListener((ChannelFutureListener) this::noteFailure);
        }
        inside.incrementAndGet();
        chunk.touch(channel); // the ledger names the connection
        chunk.retain(2); // one until the promise completes; one for Netty, which gives it up as soon as it has copied
        Departure departure = new Departure(chunk);
        departures.add(departure);
        ByteBuffer body = chunk.body();
        ChannelFuture last;
        if (body == null) {
            last = channel.writeAndFlush(chunk);
        } else {
            channel.write(chunk).addListener((ChannelFutureListener) this::noteFailure);
            last = channel.writeAndFlush(Unpooled.wrappedBuffer(body.duplicate()));
        }
        last.addListener(departure);
        // An event loop that has ended fails the write at once, and then calls nobody.
        if (last.isDone() && channel.eventLoop().isShutdown()) {
            departure.operationComplete(last);
        }
    }

    /** The event loop has ended and left the channel as it was: no promise will complete. */
    private void abandon() {
        fail(new ClosedChannelException());
        departures.forEach(Departure::end);
    }

    private void noteFailure(ChannelFuture write) {
        Throwable cause = write.cause();
        if (cause != null) {
            fail(cause);
        }
    }

    private void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
        waiting.signal();
    }

    private boolean room() {
        return inside.get() < chunksInside && channel.isWritable();
    }

    private boolean written() {
        return inside.get() == 0 || ended();
    }

    private boolean ended() {
        return failure.get() != null || closed.get() || !channel.isActive();
    }

    /** Of a channel that is gone Netty is failing all writes: worth waiting for, so that all chunks are back. */
    private void settle() {
        if (channel.isActive() && !channel.eventLoop().isShutdown()) {
            return;
        }
        boolean interrupted = Thread.interrupted();
        try {
            waiting.await(() -> inside.get() == 0, System.nanoTime() + LINGER_NANOS);
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void await(BooleanSupplier ready) throws InterruptedIOException {
        try {
            waiting.await(ready, Waiting.NO_DEADLINE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for a Netty channel");
        }
    }

    private void requireSound() throws IOException {
        if (!ended()) {
            return;
        }
        settle();
        requireNoFailure();
        if (closed.get()) {
            throw new IOException("the sink is closed");
        }
        throw new ClosedChannelException();
    }

    private void requireNoFailure() throws IOException {
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IOException("a write to the Netty channel failed", cause);
        }
    }

    /** The end of a chunk's stay inside Netty. */
    private final class Departure implements ChannelFutureListener {
        private final AtomicReference<@Nullable Chunk> chunk;

        Departure(Chunk chunk) {
            this.chunk = new AtomicReference<>(chunk);
        }

        @Override
        public void operationComplete(ChannelFuture write) {
            noteFailure(write);
            end();
        }

        /** Works once, whoever calls. */
        void end() {
            Chunk sent = chunk.getAndSet(null);
            if (sent == null) {
                return;
            }
            departures.remove(this);
            sent.release();
            inside.decrementAndGet();
            waiting.signal();
        }
    }
}
