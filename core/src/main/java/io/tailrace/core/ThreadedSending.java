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
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The threaded mode: sealed chunks go through a hand-off to a sending thread, which gathers and writes them.
 *
 * <p><b>Ownership.</b> An accepted chunk is the hand-off's, then the delivery's. When the sending thread dies, or the
 * result is aborted, the hand-off gives back what it holds.
 *
 * <p><b>Threads.</b> The encoding thread sends, finishes and aborts; the sending thread runs {@link #run}. The
 * hand-off holds as many chunks as the window has, so an offer is never refused for room: the encoding thread waits
 * for its window instead. {@code offered} and {@code finishing} are written before the hand-off's end and read after
 * it was seen. The farewell is said by whoever takes it out of its reference: the sending thread; or, when that has
 * died between two frames, the encoding thread; or nobody, when the sink is stuck and patience has run out, for another
 * result may be using the sink by the time it moves on. {@code done} is written last, so whoever sees it sees all that
 * the sending thread did. {@code ranByStarter} is the encoding thread's own.
 */
final class ThreadedSending implements Sending, Runnable {

    private static final Logger LOG = System.getLogger(ThreadedSending.class.getName());

    private final Delivery delivery;
    private final Handoff<Chunk> handoff;
    private final long lingerNanos;
    private final Waiting ended = new Waiting(0);
    private final AtomicReference<@Nullable Farewell> farewell = new AtomicReference<>();
    private volatile @Nullable Thread starter;
    private boolean ranByStarter;
    private volatile @Nullable Thread sender;
    private volatile boolean interrupted;
    private volatile boolean done;
    private long offered;
    private boolean finishing;

    ThreadedSending(Delivery delivery, int window, Duration linger) {
        this.delivery = delivery;
        this.handoff = new Handoff<>(window, ReferenceCounted::release);
        this.lingerNanos = Waiting.nanos(linger);
    }

    /** Throws {@link RejectedExecutionException} as the executor does, and when it runs the task on this thread. */
    void start(Executor executor) {
        starter = Thread.currentThread();
        try {
            executor.execute(this);
            if (ranByStarter) {
                throw new RejectedExecutionException("the executor runs the sending task on the encoding thread");
            }
        } catch (Throwable e) {
            handoff.cancel(); // a task that was begun all the same ends
            throw e;
        } finally {
            starter = null;
        }
    }

    @Override
    public void send(Chunk chunk, boolean more) throws IOException {
        chunk.touch(ChunkStage.OFFERED);
        OfferResult result = handoff.offer(chunk);
        if (result == OfferResult.ACCEPTED) {
            offered++;
            return;
        }
        chunk.release();
        if (result == OfferResult.FULL) {
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
        finishing = true;
        handoff.finish();
        if (!done) {
            awaitEnd();
        }
        if (handoff.cancelled()) {
            throw failure();
        }
    }

    private void awaitEnd() throws InterruptedIOException {
        try {
            ended.await(() -> done || interrupted, Waiting.NO_DEADLINE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!done) {
            throw new InterruptedIOException("interrupted while the last frames were sent");
        }
    }

    @Override
    public boolean within() {
        return Thread.currentThread().equals(sender);
    }

    @Override
    public void interrupt() {
        interrupted = true;
        ended.signal();
    }

    @Override
    public void abort(Farewell last) {
        farewell.set(last);
        handoff.cancel();
        if (!lingers()) {
            // The sink is stuck, and its owner may be waiting for us to let go of it. The sending thread ends with its
            // sink, and releases what it holds there.
            farewell.set(null);
            LOG.log(Level.WARNING, "a sink did not take a failed result''s last frame in time: it is to be closed");
        } else if (!(handoff.failure() instanceof Delivery.SinkException)) {
            try {
                sayFarewell(); // the sending thread died, if it was not said yet; its sink is sound
            } catch (Throwable e) {
                LOG.log(Level.DEBUG, "the failure frame could not be sent", e);
            }
        }
    }

    /** Waits for the sending thread's end, whatever interrupts; false when patience runs out first. */
    private boolean lingers() {
        long deadline = System.nanoTime() + lingerNanos;
        boolean flag = false;
        try {
            while (true) {
                try {
                    return ended.await(() -> done, deadline);
                } catch (InterruptedException e) {
                    flag = true;
                }
            }
        } finally {
            if (flag) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void run() {
        if (Thread.currentThread().equals(starter)) {
            ranByStarter = true; // not thrown: an executor may keep that to itself
            return;
        }
        sender = Thread.currentThread();
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
            end();
        }
    }

    private void end() {
        try {
            delivery.drop();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "a sink released chunks that it had borrowed", e);
        } finally {
            sender = null;
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
        Farewell last = farewell.getAndSet(null);
        boolean endTaken = finishing && delivery.taken() == offered;
        if (last != null && !endTaken) {
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
        IOException stopped = new IOException("the sending thread has stopped", cause);
        return new Delivery.SinkException(stopped);
    }
}
