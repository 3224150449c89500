// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.wire.BudgetExhaustedException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * An arriving result's way over the disk. While its reader stands still, what has come is moved to a file, so that there is
 * credit again; the reader finds the file's frames in front of what waits in memory.
 *
 * <pre>
 *  IN MEMORY ── its reader has stood still ──▶ SPILLING ── disk refuses, or has no room ──▶ IN MEMORY, behind the file
 *   ▲     ▲                                       │                                                    │   │
 *   │     └── the reader has taken all of the file, and no task moves anything: the file goes ─────────┘   │
 *   │                                             └── the same ──▶ IN MEMORY                               │
 *   └───────────────────────── it has stood still again: SPILLING, unless the disk refused ◀───────────────┘
 * </pre>
 *
 * <p><b>Ownership.</b> A piece being moved is the moving task's: released when it is on disk, put back when it is not. The
 * file is this object's until its reader has taken all of it, or the result is over.
 *
 * <p><b>Threads.</b> The result's monitor guards everything, and is not held while the disk is waited for. {@code asked}
 * is set by the loop when it gives the task to the executor, and cleared by that task: there is one at most. {@code moving} is
 * true while that task has a piece, for which the reader waits; for one that no thread has begun to run it does not.
 */
final class Spilling implements Runnable {

    private static final Logger LOG = System.getLogger(Spilling.class.getName());

    private final Arriving result;
    private final ArrayDeque<Arriving.Piece> pieces;
    private final Overflow overflow;
    private @Nullable SpillFile file;
    private boolean on;
    private boolean asked;
    private boolean moving;
    private boolean refused;
    private boolean over;
    private long spilledBytes;

    /** The reader has found nothing: what comes is its. */
    private boolean hungry;

    private int taken;
    private int takenBefore;
    private boolean still;
    private long stillSince;

    /** @param pieces of the result, in the order in which they came, guarded by its monitor */
    Spilling(Arriving result, ArrayDeque<Arriving.Piece> pieces, Overflow overflow) {
        this.result = result;
        this.pieces = pieces;
        this.overflow = overflow;
    }

    /** Whether the reader has left for so long what waits for it. To be asked again and again. */
    boolean standsStill(long now, long patience, int chunkBytes) {
        synchronized (result) {
            boolean waits = !on && !refused && !over && worthMoving(chunkBytes);
            if (!waits || !still || taken != takenBefore) {
                still = waits;
                stillSince = now;
                takenBefore = taken;
                return false;
            }
            Arriving.Piece head = pieces.peek();
            return now - stillSince >= patience && head != null && overflow.hasRoom(head.length());
        }
    }

    /** Of one that has come whole, less than a chunk's worth stays: there may be thousands in line. */
    private boolean worthMoving(int chunkBytes) {
        if (!movable(pieces.peek())) {
            return false;
        }
        int bytes = 0;
        for (Arriving.Piece piece : pieces) {
            bytes += movable(piece) ? piece.length() : 0;
        }
        return bytes >= chunkBytes || !result.isComplete();
    }

    /** A failure, which is the last, lies outside the pool and stays there. */
    private static boolean movable(Arriving.@Nullable Piece piece) {
        return piece != null && piece.chunk != null;
    }

    /** From here on what comes goes to disk. On the loop. */
    void begin() {
        synchronized (result) {
            on = !over;
        }
        goOn();
    }

    /** Has what waits moved, if it is to be and no task is at it. On the loop. */
    void goOn() {
        synchronized (result) {
            if (!on || asked || !movable(pieces.peek())) {
                return;
            }
            asked = true;
        }
        if (!overflow.execute(this)) {
            synchronized (result) {
                asked = false;
                stop(overflow.isClosed());
            }
        }
    }

    @Override
    public void run() {
        try {
            for (Arriving.Piece piece = next(); piece != null; piece = next()) {
                move(piece);
            }
        } catch (Throwable e) {
            boolean wanted = stop(true) && !overflow.isClosed();
            LOG.log(wanted ? Level.WARNING : Level.DEBUG, result.id() + " cannot be spilled, and waits in memory", e);
        }
        result.moved();
    }

    private SpillFile opened() throws IOException {
        synchronized (result) {
            SpillFile known = file;
            if (known != null) {
                return known;
            }
        }
        SpillFile opened = overflow.open(result.id());
        synchronized (result) {
            if (!over) {
                file = opened;
                return opened;
            }
        }
        overflow.drop(opened);
        return opened;
    }

    private Arriving.@Nullable Piece next() {
        synchronized (result) {
            on &= !over && !(hungry && !hasFrames());
            moving = on && movable(pieces.peek());
            asked = moving;
            return moving ? pieces.poll() : null;
        }
    }

    private void move(Arriving.Piece piece) throws IOException {
        int bytes = piece.length();
        boolean written = false;
        try {
            opened().append(piece.region());
            written = true;
            result.wentToDisk(bytes);
        } catch (BudgetExhaustedException e) {
            LOG.log(Level.DEBUG, "spilling stops", e);
        } finally {
            leave(piece, bytes, written);
        }
        if (written) {
            result.wakeReader();
        } else {
            stop(false); // behind putting it back: the reader goes on with it
        }
    }

    private void leave(Arriving.Piece piece, int bytes, boolean written) {
        synchronized (result) {
            if (written || over) {
                piece.release();
            } else {
                pieces.addFirst(piece);
            }
            spilledBytes += written ? bytes : 0;
        }
    }

    /** What comes stays in memory; true if anybody wants it. */
    private boolean stop(boolean forEver) {
        synchronized (result) {
            on = false;
            moving = false;
            still = false;
            asked &= !forEver; // else the task is still at it, and finds out by itself
            refused |= forEver;
            return !over;
        }
    }

    /** Bytes of it that went to disk. */
    long spilledBytes() {
        synchronized (result) {
            return spilledBytes;
        }
    }

    /** Whether what comes goes to disk. */
    boolean isOn() {
        synchronized (result) {
            return on || moving;
        }
    }

    // Below here: the reading thread, in the result's monitor

    /** Whether a task has taken what comes next, and is still writing it. */
    boolean isMoving() {
        return moving;
    }

    /** What the reader is to read first, or null. */
    @Nullable
    SpillFile frames() {
        return hasFrames() ? file : null;
    }

    private boolean hasFrames() {
        SpillFile from = file;
        return from != null && from.transferable() > 0;
    }

    /** The reader has found, or not found, something. */
    void taken(boolean something) {
        hungry = !something;
        if (something) {
            taken++;
        }
    }

    /** The reader has nothing more to take from the file, and finds in memory what comes next. */
    void caughtUp() {
        on = false;
        dropFile();
    }

    /** Nothing of it is wanted any more. */
    void end() {
        over = true;
        on = false;
        dropFile();
    }

    private void dropFile() {
        SpillFile used = file;
        file = null;
        if (used != null) {
            overflow.drop(used);
        }
    }

    /** Reads as many whole frames into the chunk as are there and fit in; how many bytes they have. */
    static int readFrames(SpillFile from, Chunk into) throws IOException {
        byte[] array = into.array();
        int base = into.arrayOffset();
        int length = 0;
        while (length < into.capacity() && from.transferable() > 0) {
            length += from.read(array, base + length, into.capacity() - length);
        }
        int end = 0;
        while (end + FrameLayout.HEADER_LENGTH <= length) {
            int wire = FrameHeader.wireLength(array, base + end);
            if (wire < 0 || wire > into.capacity() - FrameLayout.HEADER_LENGTH) {
                return length; // the disk has changed it: its reader finds that out by the header's checksum
            }
            if (end + FrameLayout.HEADER_LENGTH + wire > length) {
                break;
            }
            end += FrameLayout.HEADER_LENGTH + wire;
        }
        if (end == 0) {
            return length;
        }
        from.unread(length - end);
        return end;
    }
}
