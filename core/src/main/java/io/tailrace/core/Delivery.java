// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * One result's passage into its sink: gathers sealed chunks, writes them, releases them, and keeps the times.
 *
 * <p><b>Ownership.</b> A chunk added is this object's; it is released when its write has returned or thrown, or by
 * {@link #drop}.
 *
 * <p><b>Threads.</b> The result's sending thread; any thread cancels. The encoding thread sets {@link #payloadFrom} before it offers that
 * chunk, and reads the numbers after it saw the sending thread's end: the hand-off and that end order both.
 */
final class Delivery {

    private static final Logger LOG = System.getLogger(Delivery.class.getName());

    private final FrameSink sink;
    private final FrameBatch batch = new FrameBatch();
    private final long openedAt;
    private long payloadFrom = Long.MAX_VALUE;
    private long firstPayloadNanos;
    private long sinkNanos;
    private boolean begun;
    private boolean within;
    private long taken;
    private long written;

    Delivery(FrameSink sink, long openedAt) {
        this.sink = sink;
        this.openedAt = openedAt;
    }

    /** Tells which chunk, counted from 0, is the first that carries payload; before it is sent. */
    void payloadFrom(long chunk) {
        payloadFrom = chunk;
    }

    void add(Chunk chunk) {
        chunk.touch(ChunkStage.SENDING);
        taken++;
        batch.add(chunk);
    }

    /** Whether one more chunk of that many bytes fits one gathering write. */
    boolean holds(int bytes) {
        return batch.size() == 0 || batch.bytes() + bytes <= FrameBatch.MAX_GATHERED;
    }

    void write() throws SinkException {
        if (batch.size() > 0) {
            deliver(false);
        }
    }

    /**
     * Writes what is gathered and tells the sink that the result is complete. Both are timed as one, because asking the clock
     * costs as much as a small frame.
     */
    void complete() throws SinkException {
        deliver(true);
    }

    private void deliver(boolean last) throws SinkException {
        within = true;
        int size = batch.size();
        long start = System.nanoTime();
        try {
            if (size > 0) {
                writeAndRelease();
            }
            if (last) {
                sink.complete();
            }
        } catch (Throwable e) {
            throw new SinkException(e);
        } finally {
            within = false;
            long now = System.nanoTime();
            sinkNanos += now - start;
            written += size;
            if (firstPayloadNanos == 0 && written > payloadFrom) {
                firstPayloadNanos = now - openedAt;
            }
        }
    }

    private void writeAndRelease() throws IOException {
        begun = true;
        try {
            sink.write(batch);
        } finally {
            batch.releaseAll();
        }
    }

    void drop() {
        batch.releaseAll();
    }

    void cancel() {
        sink.cancel();
    }

    /** Whether the sink is being called now. */
    boolean within() {
        return within;
    }

    /** Whether the sink was given anything: if not, the receiver has never heard of this result. */
    boolean begun() {
        return begun;
    }

    long firstPayloadNanos() {
        return firstPayloadNanos;
    }

    long sinkNanos() {
        return sinkNanos;
    }

    /** A number for the summary of a result that is complete: what the sink throws here must not undo that. */
    long outsideBytes() {
        try {
            return sink.outsideBytes();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "a sink could not tell what it holds", e);
            return 0;
        }
    }

    /** How many chunks the sink was given, or will be by the write under way. */
    long taken() {
        return taken;
    }

    /** Tells an error of the sink from one of ours; its cause is the sink's own, whatever it was. */
    static final class SinkException extends IOException {
        private static final long serialVersionUID = 1;

        private final Throwable reason;

        SinkException(Throwable reason) {
            super("the sink failed", reason);
            this.reason = reason;
        }

        Throwable reason() {
            return reason;
        }
    }
}
