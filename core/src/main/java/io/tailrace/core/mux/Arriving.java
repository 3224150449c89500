// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.frame.WholeFrames;
import io.tailrace.core.handoff.Waiting;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One result on its way in over a shared connection: its frames as they came, which a reader on a decoding thread takes
 * and judges.
 *
 * <p>While the reader stands still, frames may go {@linkplain Spilling to disk}: then they come back through one chunk, for
 * which there is a window of its own from the beginning, so that reading them never waits for other results.
 *
 * <p><b>Ownership.</b> What has come holds references to its chunks: this object's until the reader was lent it and asks for
 * more, or the result is settled. So is the chunk for what comes from disk. The window of what comes in is the loop's.
 *
 * <p><b>Threads.</b> The loop appends, the decoding thread reads, any thread settles; pieces are guarded by this object's
 * monitor, in which nobody waits. Fields below the line belong to the loop.
 */
public final class Arriving implements WholeFrames {

    /** Chunks that a result must be able to have, if it is ever to go on. */
    public static final int LEAST_WINDOW = 2;

    private final Receiver receiver;
    private final long stream;
    private final OpenBody open;
    private final Waiting waiting = new Waiting(100);
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>(2);
    private @Nullable Piece opening;
    private @Nullable Piece lent;
    private @Nullable Spilling spilling;
    private @Nullable ChunkWindow fromDisk;
    private @Nullable Chunk spare;

    /** What the piece that was lent last is to be read from; the reading thread's. */
    private @Nullable SpillFile source;

    private volatile boolean complete;
    private volatile @Nullable IOException failure;
    private volatile @Nullable ResultFate settled;
    private volatile boolean started;
    private volatile long arrivedBytes;
    private volatile long waitedNanos;
    private final AtomicBoolean listed = new AtomicBoolean();

    // The loop's
    @Nullable
    Room room;

    @Nullable
    ChunkWindow window;

    JobAccounts.@Nullable Account account;

    private volatile @Nullable Object attachment;
    /** Whether somebody will read it: what nobody will is passed over. */
    boolean wanted;

    boolean owns;
    boolean backlog;
    boolean terminalSeen;
    boolean told;
    boolean placed;
    boolean watched;

    /** Bytes have come since its reader and its credit were looked at. */
    boolean stirred;

    /** Has it looked at again when its window has room. */
    @Nullable
    Runnable again;

    long sharedBytes;

    /** Bytes of frames that lie behind one another in a chunk, or in an array of their own. */
    static final class Piece {
        final @Nullable Chunk chunk;
        final byte[] array;
        final int from;
        int to;

        Piece(@Nullable Chunk chunk, byte[] array, int from, int to) {
            this.chunk = chunk;
            this.array = array;
            this.from = from;
            this.to = to;
        }

        int length() {
            return to - from;
        }

        /** The same bytes, as they are written; the reference stays this piece's. */
        Region region() {
            Chunk in = chunk;
            if (in == null) {
                throw new IllegalStateException("not in a chunk");
            }
            return new Region(in, from - in.arrayOffset(), to - in.arrayOffset());
        }

        void release() {
            if (chunk != null) {
                chunk.release();
            }
        }
    }

    /** @param beginning the preamble and the open frame, as a stream would begin with them */
    Arriving(Receiver receiver, long stream, OpenBody open, byte[] beginning) {
        this.receiver = receiver;
        this.stream = stream;
        this.open = open;
        this.opening = new Piece(null, beginning, 0, beginning.length);
    }

    /** It may go to disk when its reader stands still. */
    Spilling spillTo(Overflow overflow) {
        Spilling made = new Spilling(this, pieces, overflow);
        spilling = made;
        return made;
    }

    /** Its way over the disk, or null. */
    @Nullable
    Spilling spilling() {
        return spilling;
    }

    void wentToDisk(int bytes) {
        receiver.tally().spilled.add(bytes);
    }

    /** Bytes of it that went to disk here. */
    public long spilledBytes() {
        Spilling over = spilling;
        return over == null ? 0 : over.spilledBytes();
    }

    long stream() {
        return stream;
    }

    public ResultId id() {
        return open.id();
    }

    public String codecId() {
        return open.codecId();
    }

    /** Payload bytes as the sender declared them, or −1. */
    public long declaredBytes() {
        return open.declaredBytes();
    }

    /** Whom the connection is with, for logs. */
    public String peer() {
        return receiver.peer();
    }

    /** The host has let it in: its bytes are counted in the account. */
    public void admitted(JobAccounts.Account counted, Object hosts) {
        account = counted;
        attachment = hosts;
    }

    /** What the host gave when it let it in. */
    public @Nullable Object attachment() {
        return attachment;
    }

    /** What has become of it, or null. */
    public @Nullable ResultFate settled() {
        return settled;
    }

    /** Bytes of frames that have come. */
    public long arrivedBytes() {
        return arrivedBytes;
    }

    /** Nanoseconds its reader waited for frames, without a wait that has not ended. */
    public long waitedNanos() {
        return waitedNanos;
    }

    /** A decoding thread is at it: it gets credit of its own if it needs any, and first of all what it needs to read a file. */
    public void start() {
        synchronized (this) {
            Spilling over = spilling;
            boolean spills = over != null
                    && (!complete || over.isOn() || over.spilledBytes() > 0 || arrivedBytes >= receiver.chunkBytes());
            if (spills && settled == null && failure == null) {
                fromDisk = receiver.openWithoutWaiting(id());
            }
        }
        started = true;
        if (!complete || spilling != null) {
            list();
        }
    }

    /** Whether its chunks are its decoder's to answer for, or have come back. */
    synchronized boolean leavesPlace() {
        boolean empty =
                pieces.stream().allMatch(piece -> piece.chunk == null) && (spilling == null || !spilling.isMoving());
        return started || settled != null || (terminalSeen && empty);
    }

    boolean started() {
        return started;
    }

    /**
     * Decides what becomes of the result, once: the sender is told, and the reader gets {@code told} with its next read, where
     * that is not null. From any thread.
     *
     * @return false when it was decided before
     */
    public boolean settle(ResultFate fate, @Nullable IOException toldReader) {
        if (!decide(fate, toldReader)) {
            return false;
        }
        list();
        return true;
    }

    /**
     * The same for one whose reader has read it all, where others are to be read next: if there are many, its sender is told
     * within about a millisecond, of several at once.
     */
    public void settleAmongMany(ResultFate fate) {
        if (decide(fate, null) && listed.compareAndSet(false, true)) {
            receiver.readySoon(this);
        }
    }

    private boolean decide(ResultFate fate, @Nullable IOException toldReader) {
        synchronized (this) {
            if (settled != null) {
                return false;
            }
            settled = fate;
            if (toldReader != null) {
                failure = toldReader;
            }
            dropPieces();
        }
        waiting.signal();
        return true;
    }

    private void list() {
        if (listed.compareAndSet(false, true)) {
            receiver.ready(this);
        }
    }

    void unlist() {
        listed.set(false);
    }

    /** The connection is no more: the reader is told, if it still needs the connection. */
    void lose(IOException why) {
        synchronized (this) {
            if (complete || settled != null) {
                return;
            }
            failure = why;
            dropPieces();
        }
        waiting.signal();
    }

    /** For a reader that comes from another result; to be called before anything is read. */
    public synchronized void skipPreamble() {
        Piece first = opening;
        if (first != null) {
            opening = new Piece(null, first.array, FrameLayout.PREAMBLE_LENGTH, first.to);
        }
    }

    /** Takes bytes that lie in the chunk; retains it for them. The reader learns of it with {@link #tellReader}. */
    void append(Chunk chunk, int from, int length) {
        synchronized (this) {
            if (settled != null || failure != null) {
                return;
            }
            Piece last = pieces.peekLast();
            int at = chunk.arrayOffset() + from;
            if (last != null && last.array == chunk.array() && last.to == at) {
                last.to += length;
            } else {
                chunk.retain();
                chunk.touch(ChunkStage.RECEIVING);
                pieces.add(new Piece(chunk, chunk.array(), at, at + length));
            }
            arrivedBytes += length;
        }
    }

    void tellReader() {
        Spilling over = spilling;
        if (over != null) {
            over.goOn();
        }
        waiting.signal();
    }

    void wakeReader() {
        waiting.signal();
    }

    /** What was there has been moved, as far as that goes. */
    void moved() {
        waiting.signal();
        list();
    }

    /** Takes bytes in an array of their own. */
    void append(byte[] bytes) {
        synchronized (this) {
            if (settled == null && failure == null) {
                pieces.add(new Piece(null, bytes, 0, bytes.length));
            }
        }
        waiting.signal();
    }

    /** The terminal has come: nothing follows. */
    void complete() {
        complete = true;
        waiting.signal();
    }

    boolean isComplete() {
        return complete;
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
        giveBack();
        Piece piece = poll();
        while (piece == null && !exhausted()) {
            long began = receiver.now();
            try {
                waiting.await(this::readable, Waiting.NO_DEADLINE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting for frames");
            } finally {
                waitedNanos = waitedNanos + receiver.now() - began; // one reader: no update is lost
            }
            piece = poll();
        }
        if (piece == null) {
            return null;
        }
        SpillFile from = source;
        if (from != null && piece.chunk != null) {
            readBack(from, piece, piece.chunk);
        }
        return ByteBuffer.wrap(piece.array, piece.from, piece.to - piece.from);
    }

    /** Lends the next piece; null when there is none now. */
    private synchronized @Nullable Piece poll() throws IOException {
        IOException why = failure;
        if (why != null) {
            throw why;
        }
        source = null;
        Piece piece = opening;
        Spilling over = spilling;
        if (piece != null) {
            opening = null;
        } else if (over != null) {
            piece = pollSpilled(over);
            over.taken(piece != null);
        } else {
            piece = pieces.poll();
        }
        lent = piece;
        return piece;
    }

    private @Nullable Piece pollSpilled(Spilling over) {
        SpillFile from = over.frames();
        if (from != null) {
            Chunk chunk = hasSpare() ? spare : null;
            spare = null;
            source = from;
            return chunk == null ? null : new Piece(chunk, chunk.array(), chunk.arrayOffset(), chunk.arrayOffset());
        }
        if (over.isMoving()) {
            return null;
        }
        over.caughtUp();
        return pieces.poll();
    }

    private boolean hasSpare() {
        ChunkWindow window = fromDisk == null ? receiver.openWithoutWaiting(id()) : fromDisk;
        fromDisk = window;
        if (spare == null) {
            spare = window.tryAcquire(waiting::signal);
        }
        return spare != null;
    }

    private void readBack(SpillFile from, Piece into, Chunk chunk) throws IOException {
        try {
            chunk.touch(ChunkStage.RECEIVING);
            into.to += Spilling.readFrames(from, chunk);
        } catch (IOException e) {
            giveBack();
            IOException why = failure;
            throw why != null ? why : new IOException("what was spilled of " + id() + " cannot be read back", e);
        }
    }

    /** Whether {@link #next} would return, or throw, at once. To be asked on the reading thread. */
    synchronized boolean readable() {
        if (opening != null || failure != null || settled != null) {
            return true;
        }
        Spilling over = spilling;
        if (over != null && over.frames() != null) {
            return (source != null && lent != null) || hasSpare(); // what was lent comes back first
        }
        return (over == null || !over.isMoving()) && (!pieces.isEmpty() || complete);
    }

    /** Whether nothing comes any more. */
    private synchronized boolean exhausted() {
        Spilling over = spilling;
        boolean onDisk = over != null && (over.isMoving() || over.frames() != null);
        return settled != null || (complete && !onDisk && pieces.isEmpty());
    }

    @Override
    public void giveBack() {
        Piece used;
        synchronized (this) {
            used = lent;
            lent = null;
        }
        if (used != null) {
            used.release();
        }
    }

    @Override
    public boolean isOpen() {
        return settled == null;
    }

    /** Gives back what was lent and what has come. */
    @Override
    public void close() {
        giveBack();
        synchronized (this) {
            if (failure == null && !complete) {
                failure = new IOException("the reader was closed");
            }
            dropPieces();
        }
    }

    private void dropPieces() {
        opening = null;
        for (Piece piece = pieces.poll(); piece != null; piece = pieces.poll()) {
            piece.release();
        }
        if (spilling != null) {
            spilling.end();
        }
        Chunk unused = spare;
        spare = null;
        if (unused != null) {
            unused.release();
        }
        ChunkWindow window = fromDisk;
        fromDisk = null;
        if (window != null) {
            window.close();
        }
    }

    /**
     * With a reserve of two chunks, or more: one that is begun stays where the next frame does not fit in what is left of it,
     * and is left only for another.
     */
    ChunkWindow openWindow(ChunkPool pool, int size, int least) {
        return pool.openWithoutWaiting(open.id(), Math.max(least, size), least);
    }
}
