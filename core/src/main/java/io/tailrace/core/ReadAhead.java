// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.Gulps;
import io.tailrace.core.handoff.Handoff;
import io.tailrace.core.handoff.OfferResult;
import io.tailrace.core.handoff.Waiting;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Gulps that a thread of their own reads ahead, each into a chunk of the pool, while the one before is decoded.
 *
 * <p>Each read is handed over as it came, a chunk for each: nothing waits for a chunk to be full. The JDK reads into
 * heap memory through direct memory that it caches for the reading thread, a chunk's size at most.
 *
 * <p><b>Ownership.</b> Window and source are this object's. A chunk is the reading thread's while it is filled, the
 * hand-off's when accepted, then lent to the decoding thread until its next call.
 *
 * <p><b>Threads.</b> The reading thread runs {@link #run}, the decoding thread calls the rest. The hand-off holds as
 * many chunks as the window has, so an offer is never refused for room: the reading thread waits for its window
 * instead. {@code failure} is written before the hand-off is finished and read after its end was seen, behind all the
 * bytes that came first. {@code ranByOpener} is the opening thread's own. Whoever takes {@code begun} closes the
 * window: the reading thread at its end, or a close that came before it began.
 */
final class ReadAhead implements Gulps, Runnable {

    /** How long a close waits for a blocked read to wake from it. */
    private static final Duration LINGER = Duration.ofSeconds(5);

    private static final Logger LOG = System.getLogger(ReadAhead.class.getName());

    private final ReadableByteChannel source;
    private final ChunkWindow window;
    private final int chunkBytes;
    private final Handoff<Chunk> handoff;
    private final Duration linger;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final Waiting ended = new Waiting(0);
    private volatile @Nullable Thread opener;
    private boolean ranByOpener;
    private volatile boolean done;
    private volatile @Nullable Throwable failure;
    private @Nullable Chunk lent;

    ReadAhead(ReadableByteChannel source, ChunkWindow window, int chunkBytes, Duration linger) {
        this.source = source;
        this.window = window;
        this.chunkBytes = chunkBytes;
        this.handoff = new Handoff<>(window.size(), ReferenceCounted::release);
        this.linger = linger;
    }

    /** Splits its chunks off the reader's fresh window; to be {@linkplain #begin begun}, then closed, or abandoned. */
    static ReadAhead of(ReaderSettings settings, ReadableByteChannel source, ChunkWindow reader) {
        ChunkWindow window = reader.split("a reading thread", settings.window() - settings.decoderReserve(), 1);
        try {
            return new ReadAhead(source, window, settings.pool().chunkBytes(), LINGER);
        } catch (Throwable e) {
            window.close();
            throw e;
        }
    }

    void begin(Executor executor) throws IOException {
        opener = Thread.currentThread();
        try {
            executor.execute(this);
            if (ranByOpener) {
                throw new RejectedExecutionException("the executor runs the reading task on the opening thread");
            }
        } catch (RejectedExecutionException e) {
            throw new IOException("the executor refused to read ahead", e);
        } finally {
            opener = null;
        }
    }

    /** The reader was not opened, so the source stays its owner's. A task that runs all the same ends soon. */
    void abandon() {
        handoff.cancel();
        window.interruptAcquire();
        if (begun.compareAndSet(false, true)) {
            window.close();
        }
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
        giveBack();
        Chunk chunk;
        try {
            chunk = handoff.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for bytes");
        }
        if (chunk == null) {
            throwFailure();
            return null;
        }
        lent = chunk;
        return chunk.internalNioBuffer(chunk.readerIndex(), chunk.readableBytes());
    }

    @Override
    public void giveBack() {
        Chunk used = lent;
        lent = null;
        if (used != null) {
            used.release();
        }
    }

    @Override
    public long outsideBytes() {
        return chunkBytes;
    }

    /** The reading thread's, for its numbers. */
    ChunkWindow window() {
        return window;
    }

    /** Ends reading and closes the source, which a blocked read wakes from; waits until the reading thread is out. */
    void close() {
        giveBack();
        handoff.cancel();
        window.interruptAcquire();
        try {
            source.close();
        } catch (Throwable e) {
            LOG.log(Level.DEBUG, "a source could not be closed", e);
        }
        if (begun.compareAndSet(false, true)) {
            window.close();
            done = true; // nobody else will say so to a second close
        } else {
            awaitEnd();
        }
    }

    @Override
    public void run() {
        if (Thread.currentThread().equals(opener)) {
            ranByOpener = true; // not thrown: an executor may keep that to itself
            return;
        }
        if (!begun.compareAndSet(false, true)) {
            return;
        }
        try {
            readAll();
        } catch (Throwable e) {
            failure = e;
        } finally {
            window.close();
            handoff.finish();
            done = true;
            ended.signal();
        }
    }

    private void readAll() throws IOException {
        boolean more = true;
        while (more) {
            Chunk chunk = window.acquire();
            chunk.touch(ChunkStage.RECEIVING);
            boolean given = false;
            try {
                int read = read(chunk);
                more = read >= 0;
                if (more) {
                    chunk.setIndex(0, read);
                    given = offer(chunk);
                    more = given;
                }
            } finally {
                if (!given) {
                    chunk.release();
                }
            }
        }
    }

    private int read(Chunk chunk) throws IOException {
        int read = 0;
        while (read == 0 && !handoff.cancelled()) {
            read = source.read(chunk.internalNioBuffer(0, chunk.capacity()));
        }
        return read;
    }

    private boolean offer(Chunk chunk) {
        OfferResult offered = handoff.offer(chunk);
        if (offered == OfferResult.FULL) {
            throw new IllegalStateException("more chunks are read than the window has: " + handoff.capacity());
        }
        return offered == OfferResult.ACCEPTED;
    }

    private void throwFailure() throws IOException {
        if (handoff.cancelled()) {
            throw new AsynchronousCloseException();
        }
        Throwable cause = failure;
        if (cause instanceof IOException e) {
            throw e;
        }
        if (cause != null) {
            throw new IOException("the reading thread failed", cause);
        }
    }

    private void awaitEnd() {
        boolean interrupted = Thread.interrupted();
        try {
            if (!ended.await(() -> done, System.nanoTime() + linger.toNanos())) {
                LOG.log(Level.WARNING, "a source went on blocking for {0} after it was closed", linger);
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
