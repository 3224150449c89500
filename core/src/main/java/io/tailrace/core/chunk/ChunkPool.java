// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.tailrace.core.handoff.Waiting;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;

/**
 * The process's chunk memory: a bounded recycler of array-backed slabs, with a budget that is never exceeded.
 *
 * <p>Slabs are made on demand and kept until the pool is closed. A result reaches its chunks through the
 * {@link ChunkWindow} that it opens; encoders and readers of a process may share one pool.
 *
 * <p>When the budget is spent, who needs a first chunk waits in a fair line for at most the pool's
 * {@linkplain Builder#patience patience}, or is refused at once where that is zero, or is called back
 * ({@link ChunkWindow#tryAcquire(Runnable)}). A result that holds chunks already never times out here: they come back
 * as its own sink goes on.
 *
 * <p><b>Ownership.</b> The pool owns free slabs; a chunk acquired belongs to whoever acquired it.
 *
 * <p><b>Threads.</b> Any thread opens, acquires and releases. The recycler is a JCTools MPMC queue; a slab is returned
 * to it <em>before</em> its permit is given up, so that whoever gets a permit finds a slab or the right to make one.
 */
public final class ChunkPool implements AutoCloseable {

    /** Smallest slab: an open frame with the longest ids, a data frame's header and the end frame fit. */
    public static final int MIN_CHUNK_BYTES = 512;

    /** Largest slab: 16 MiB, the largest chunk that the format allows. */
    public static final int MAX_CHUNK_BYTES = 16 << 20;

    /** 64 KiB. */
    public static final int DEFAULT_CHUNK_BYTES = 64 << 10;

    /** 16 MiB. */
    public static final long DEFAULT_BUDGET_BYTES = 16L << 20;

    private static final int MAX_CHUNKS = 1 << 24;

    private final ByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final int chunkBytes;
    private final long patienceNanos;
    private final boolean paranoid;
    private final Budget budget;
    private final ChunkLedger ledger;
    private final MpmcVarHandleArrayQueue<Chunk> recycler;
    private final AtomicInteger live = new AtomicInteger();
    private final AtomicInteger peak = new AtomicInteger();
    private volatile boolean closed;

    private ChunkPool(Builder builder) {
        chunkBytes = builder.chunkBytes;
        patienceNanos = Waiting.nanos(builder.patience);
        paranoid = builder.paranoid;
        long chunks = builder.budgetBytes / chunkBytes;
        if (chunks < 1 || chunks > MAX_CHUNKS) {
            throw new IllegalArgumentException("a budget of " + builder.budgetBytes + " bytes is " + chunks
                    + " chunks of " + chunkBytes + ": 1 to " + MAX_CHUNKS);
        }
        int permits = (int) chunks;
        budget = new Budget(permits);
        ledger = new ChunkLedger(permits);
        recycler = new MpmcVarHandleArrayQueue<>(Math.max(2, permits));
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Opens a result's window and grants its reserve whole.
     *
     * @param holder named by the ledger's report
     * @param window most chunks live at once for this result, 1 or more
     * @param reserve chunks it can always have, 0 … window; T results on a pool of T reserves never deadlock
     * @throws IllegalArgumentException for other numbers, and for a reserve beyond the budget
     * @throws IllegalStateException when the pool is closed
     * @throws BudgetExhaustedException when the reserve cannot be had in time
     * @throws java.io.InterruptedIOException when interrupted while waiting; the flag is kept
     */
    public ChunkWindow open(Object holder, int window, int reserve) throws IOException {
        ChunkWindow opened = prepare(holder, window, reserve);
        opened.takeReserve();
        return opened;
    }

    /**
     * The same for a thread that must not wait. Where the reserve is not free now, the window stands in line for it, and
     * {@link ChunkWindow#tryAcquire(Runnable)} calls back when it has come.
     */
    public ChunkWindow openWithoutWaiting(Object holder, int window, int reserve) {
        ChunkWindow opened = prepare(holder, window, reserve);
        opened.claimReserve();
        return opened;
    }

    private ChunkWindow prepare(Object holder, int window, int reserve) {
        if (window < 1 || reserve < 0 || reserve > window) {
            throw new IllegalArgumentException("window " + window + ", reserve " + reserve);
        }
        if (reserve > budget.capacity()) {
            throw new IllegalArgumentException(
                    "a reserve of " + reserve + " chunks exceeds the budget of " + budget.capacity());
        }
        requireOpen();
        return new ChunkWindow(this, holder, window, reserve);
    }

    /** Capacity of each chunk. */
    public int chunkBytes() {
        return chunkBytes;
    }

    /** The most bytes that can be live: whole chunks, by capacity. */
    public long budgetBytes() {
        return (long) budget.capacity() * chunkBytes;
    }

    /** Bytes of all chunks now acquired and not yet released, by capacity. */
    public long liveBytes() {
        return (long) live.get() * chunkBytes;
    }

    /** The most bytes that were live at once, by capacity. */
    public long peakLiveBytes() {
        return (long) peak.get() * chunkBytes;
    }

    /** Bytes neither live nor promised to an open window as its reserve. */
    public long freeBytes() {
        return (long) budget.free() * chunkBytes;
    }

    /** How many acquirers wait for the budget. */
    public int waiting() {
        return budget.waiting();
    }

    /** A line for every chunk that is out: its number, holder and stage; empty when none is. */
    public String report() {
        return ledger.report();
    }

    /**
     * Lets the slabs go.
     *
     * @throws IllegalStateException when chunks are out, naming the holder and stage of each; their memory stays with
     *     their holders
     */
    @Override
    public void close() {
        closed = true;
        recycler.clear();
        int out = live.get();
        if (out != 0) {
            throw new IllegalStateException(out + " chunks are out at close:\n" + ledger.report());
        }
    }

    Budget budget() {
        return budget;
    }

    long patienceNanos() {
        return patienceNanos;
    }

    BudgetExhaustedException exhausted(String reason, Object holder) {
        ResultId id = holder instanceof ResultId result ? result : null;
        return new BudgetExhaustedException(reason, budgetBytes(), liveBytes(), id);
    }

    /** The caller holds a permit. */
    Chunk take(ChunkWindow window) {
        requireOpen();
        Chunk chunk = recycler.poll();
        if (chunk == null) {
            byte[] slab = new byte[chunkBytes];
            chunk = new Chunk(this, allocator, slab, ledger.next());
            ledger.enter(chunk);
        }
        int now = live.incrementAndGet();
        assert now <= budget.capacity() : now + " chunks live, budget " + budget.capacity();
        if (now > peak.get()) {
            peak.accumulateAndGet(now, Math::max);
        }
        chunk.begin(window, paranoid);
        return chunk;
    }

    void takeBack(Chunk chunk, ChunkWindow window) {
        Chunk next = chunk;
        if (paranoid) {
            chunk.markReleased();
            next = chunk.successor(this);
            ledger.enter(next);
        }
        live.decrementAndGet();
        if (!closed) {
            recycler.offer(next);
        }
        window.released();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the pool is closed");
        }
    }

    /** Settings of a pool. */
    public static final class Builder {
        private int chunkBytes = DEFAULT_CHUNK_BYTES;
        private long budgetBytes = DEFAULT_BUDGET_BYTES;
        private Duration patience = Duration.ofSeconds(60);
        private boolean paranoid;

        private Builder() {}

        /** Capacity of each slab, {@value #MIN_CHUNK_BYTES} … {@value #MAX_CHUNK_BYTES}; the default is 64 KiB. */
        public Builder chunkBytes(int bytes) {
            if (bytes < MIN_CHUNK_BYTES || bytes > MAX_CHUNK_BYTES) {
                throw new IllegalArgumentException(
                        "chunk of " + bytes + " bytes: " + MIN_CHUNK_BYTES + " to " + MAX_CHUNK_BYTES);
            }
            chunkBytes = bytes;
            return this;
        }

        /** Most bytes live in the process, rounded down to whole chunks; the default is 16 MiB. */
        public Builder budgetBytes(long bytes) {
            budgetBytes = bytes;
            return this;
        }

        /** How long to wait in line for a spent budget; zero refuses at once. The default is a minute. */
        public Builder patience(Duration longest) {
            if (longest.isNegative()) {
                throw new IllegalArgumentException("patience " + longest);
            }
            patience = Objects.requireNonNull(longest);
            return this;
        }

        /**
         * Keeps the stack of each acquire and release, and never uses a released object again, so that a double
         * release is reported with both. For tests and for the hunt after a leak: it allocates at every acquire.
         */
        public Builder paranoid(boolean on) {
            paranoid = on;
            return this;
        }

        /**
         * Builds it; slabs are made when they are needed.
         *
         * @throws IllegalArgumentException for a budget below one chunk, or above 2²⁴ of them
         */
        public ChunkPool build() {
            return new ChunkPool(this);
        }
    }
}
