// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.handoff.Handoff;
import io.tailrace.core.handoff.OfferResult;
import io.tailrace.core.handoff.Waiting;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The threaded mode: sealed chunks go through a hand-off to a sending thread, which gathers and writes them.
 *
 * <p><b>Ownership.</b> An accepted chunk is the hand-off's, then the delivery's. When the sending thread dies, or the
 * result is aborted, the hand-off gives back what it holds.
 *
 * <p><b>Threads.</b> The encoding thread sends, finishes and aborts; the sending thread runs {@link #run}. The
 * hand-off holds as many chunks as the window has, so an offer is never refused for room: the encoding thread waits
 * for its window instead. {@code farewell} is written before the hand-off is cancelled and read after its end was
 * seen; {@code done} is written last, so whoever sees it sees all that the sending thread did.
 */
final class ThreadedSending implements Sending, Runnable {

    private static final Logger LOG = System.getLogger(ThreadedSending.class.getName());

    private final Delivery delivery;
    private final Handoff<Chunk> handoff;
    private final Duration linger;
    private final Waiting ended = new Waiting(0);
    private volatile @Nullable Farewell farewell;
    private volatile boolean done;

    ThreadedSending(Delivery delivery, int window, Duration linger) {
        this.delivery = delivery;
        this.handoff = new Handoff<>(window, ReferenceCounted::release);
        this.linger = linger;
    }

    /** @throws java.util.concurrent.RejectedExecutionException as the executor does */
    void start(Executor executor) {
        executor.execute(this);
    }

    @Override
    public void send(Chunk chunk, boolean more) throws IOException {
        chunk.touch(ChunkStage.OFFERED);
        OfferResult offered = handoff.offer(chunk);
        if (offered == OfferResult.ACCEPTED) {
            return;
        }
        chunk.release();
        if (offered == OfferResult.FULL) {
            throw new IllegalStateException("more chunks are sealed than the window has: " + handoff.capacity());
        }
        throw failure();
    }

    @Override
    public void flush() {
        // The sending thread gathers what is there.
    }

    @Override
    public void finish() throws IOException {
        handoff.finish();
        try {
            ended.await(() -> done, Waiting.NO_DEADLINE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the last frames were sent");
        }
        if (handoff.cancelled()) {
            throw failure();
        }
    }

    @Override
    public void abort(@Nullable Farewell last) {
        farewell = last;
        handoff.cancel();
        // The sink may be stuck, and its owner may be waiting for us to let go of it: so there is an end to patience.
        // The sending thread then ends with its sink, and releases what it holds there.
        boolean interrupted = Thread.interrupted();
        try {
            if (!ended.await(() -> done, System.nanoTime() + linger.toNanos())) {
                LOG.log(Level.WARNING, "a sink did not take a failed result''s last frame within {0}", linger);
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void run() {
        try {
            writeAll();
            if (handoff.finished()) {
                delivery.complete();
            } else {
                sayFarewell();
            }
        } catch (Throwable e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            handoff.fail(e);
        } finally {
            delivery.drop();
            done = true;
            ended.signal();
        }
    }

    private void writeAll() throws IOException, InterruptedException {
        for (Chunk chunk = handoff.take(); chunk != null; chunk = handoff.take()) {
            delivery.add(chunk);
            for (Chunk next = handoff.poll(); next != null; next = handoff.poll()) {
                if (!delivery.holds(next.wireBytes())) {
                    writeBefore(next);
                }
                delivery.add(next);
            }
            delivery.write();
        }
    }

    private void writeBefore(Chunk next) throws IOException {
        try {
            delivery.write();
        } catch (Throwable e) {
            next.release();
            throw e;
        }
    }

    private void sayFarewell() throws IOException {
        Farewell last = farewell;
        if (last != null) {
            delivery.add(last.write(delivery.begun()));
            delivery.write();
        }
    }

    /** Why the sending thread stopped. */
    private IOException failure() {
        Throwable cause = handoff.failure();
        if (cause instanceof Delivery.SinkException e) {
            return e;
        }
        return new IOException("the sending thread has stopped", cause);
    }
}
