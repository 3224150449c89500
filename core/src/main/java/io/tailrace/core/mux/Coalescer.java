// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gathers small whole results of many tasks in shared chunks, with one copy, so that each costs neither a chunk nor a write
 * of its own. They go when the connection gets to them: the busier it is, and the more are under way, the more go together.
 *
 * <p><b>Ownership.</b> The chunks being filled are this object's, until the loop takes them.
 *
 * <p><b>Threads.</b> Any thread adds, the loop takes, under this object's monitor, in which nobody waits. Who waits for a
 * chunk holds {@code fillers} alone, so that those behind wait for the same chunk.
 */
final class Coalescer {

    /** A longer one is worth a write of its own. */
    private static final int LONGEST = 8 << 10;

    /** A chunk of whole results, and whose they are, in order. */
    record Batch(Region region, List<Outgoing> results) {}

    private final ChunkWindow window;
    private final ArrayDeque<Batch> full = new ArrayDeque<>();
    private @Nullable Chunk filling;
    private List<Outgoing> results = new ArrayList<>();
    private final Object fillers = new Object();
    private final int longest;
    private final Tally tally;
    private final Runnable fullTold;
    private volatile boolean closed;

    /**
     * The window becomes this object's.
     *
     * @param fullTold run when a chunk is full, before another is waited for
     */
    Coalescer(ChunkWindow window, int chunkBytes, Tally tally, Runnable fullTold) {
        this.fullTold = fullTold;
        this.window = window;
        this.tally = tally;
        this.longest = Math.min(LONGEST, chunkBytes);
    }

    /**
     * Copies a result's only chunk, waiting for room while there are chunks here that will come back; false when it is too long,
     * the process has no chunk for it now, or nothing is taken any more: then it goes by itself.
     *
     * @throws java.io.InterruptedIOException when interrupted while waiting
     */
    boolean add(Outgoing result, Chunk whole) throws IOException {
        if (whole.bodyBytes() > 0 || whole.readableBytes() > longest) {
            return false;
        }
        synchronized (fillers) {
            while (!copy(result, whole)) {
                if (closed) {
                    return false;
                }
                if (hasFull()) {
                    fullTold.run();
                }
                Chunk fresh = acquire(result);
                if (fresh == null) {
                    return false;
                }
                fill(fresh);
            }
        }
        return true;
    }

    /** Null when this is closed, before or meanwhile, and when none can be had but by waiting for other results. */
    private @Nullable Chunk acquire(Outgoing result) throws IOException {
        synchronized (this) { // where this is closed, too: the window is for one thread at a time
            Chunk free = closed ? null : window.tryAcquire();
            if (free != null || closed || window.live() < window.size()) {
                return free;
            }
        }
        long before = window.windowStallNanos();
        try {
            window.awaitLive(window.size() - 1);
            synchronized (this) {
                return closed ? null : window.tryAcquire();
            }
        } catch (InterruptedIOException | IllegalStateException e) {
            if (closed) {
                return null;
            }
            throw e;
        } finally {
            result.waits.waitedForRoom(before, window.windowStallNanos());
        }
    }

    private synchronized boolean copy(Outgoing result, Chunk whole) {
        Chunk into = filling;
        int length = whole.readableBytes();
        if (into == null || closed) {
            return false;
        }
        if (into.writableBytes() < length) {
            seal(into);
            return false;
        }
        System.arraycopy(
                whole.array(),
                whole.arrayOffset() + whole.readerIndex(),
                into.array(),
                into.arrayOffset() + into.writerIndex(),
                length);
        into.writerIndex(into.writerIndex() + length);
        results.add(result);
        tally.backlog.add(length);
        return true;
    }

    private synchronized boolean hasFull() {
        return !full.isEmpty();
    }

    private synchronized void fill(Chunk fresh) {
        if (closed) {
            fresh.release();
        } else {
            filling = fresh;
        }
    }

    /** What has gathered, the oldest first, if need be of a chunk that is not full; null when nothing has. Its region is the caller's. */
    synchronized @Nullable Batch take(boolean part) {
        Chunk current = filling;
        if (part && full.isEmpty() && current != null) {
            seal(current);
        }
        Batch batch = full.poll();
        if (batch != null) {
            tally.backlog.add(-batch.region.wireBytes());
        }
        return batch;
    }

    /** Nothing is added any more; what is there can still be taken. */
    void close() {
        closed = true; // first: who is woken looks at it
        window.interruptAcquire();
        synchronized (this) {
            window.close();
        }
    }

    private void seal(Chunk chunk) {
        filling = null;
        full.add(new Batch(Region.all(chunk), results));
        results = new ArrayList<>();
    }
}
