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
 * <p><b>Ownership.</b> What has come holds references to its chunks: this object's until the reader was lent it and asks for
 * more, or the result is settled. Its window is the loop's.
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
    private @Nullable Piece lent;
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

    /** Bytes have come since its reader and its credit were looked at. */
    boolean stirred;

    /** Has it looked at again when its window has room. */
    @Nullable
    Runnable again;

    long sharedBytes;

    /** Bytes of frames that lie behind one another in a chunk, or in an array of their own. */
    private static final class Piece {
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

        void release() {
            if (chunk != null) {
                chunk.release();
            }
        }
    }

    /** @param opening the preamble and the open frame, as a stream would begin with them */
    Arriving(Receiver receiver, long stream, OpenBody open, byte[] opening) {
        this.receiver = receiver;
        this.stream = stream;
        this.open = open;
        pieces.add(new Piece(null, opening, 0, opening.length));
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

    /** A decoding thread is at it: it gets credit of its own if it needs any. */
    public void start() {
        started = true;
        if (!complete) {
            list();
        }
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
        list();
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
        Piece first = pieces.peek();
        if (first != null && first.chunk == null && first.from == 0) {
            pieces.remove();
            pieces.addFirst(new Piece(null, first.array, FrameLayout.PREAMBLE_LENGTH, first.to));
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
        waiting.signal();
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
        if (piece == null) {
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
        return ByteBuffer.wrap(piece.array, piece.from, piece.to - piece.from);
    }

    /** Lends the next piece; null at the end. */
    private synchronized @Nullable Piece poll() throws IOException {
        IOException why = failure;
        if (why != null) {
            throw why;
        }
        Piece piece = pieces.poll();
        lent = piece;
        return piece;
    }

    /** Whether {@link #next} would return, or throw, at once. */
    synchronized boolean readable() {
        return !pieces.isEmpty() || complete || failure != null || settled != null;
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
        for (Piece piece = pieces.poll(); piece != null; piece = pieces.poll()) {
            piece.release();
        }
    }

    /**
     * With a reserve of two chunks: one that is begun stays where the next frame does not fit in what is left of it, and is
     * left only for another.
     */
    ChunkWindow openWindow(ChunkPool pool, int size) {
        return pool.openWithoutWaiting(open.id(), Math.max(LEAST_WINDOW, size), LEAST_WINDOW);
    }
}
