// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import io.tailrace.core.handoff.Waiting;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A result's share of the pool: at most {@code size} chunks live at once, of which {@code reserve} are always granted.
 *
 * <p>A chunk within the reserve needs no permit of the budget. One beyond it takes a free permit, or waits until a
 * permit comes free <em>or</em> one of the window's own chunks comes back, whichever is first: so a result with a
 * reserve goes on as long as its own sink does, however crowded the process is.
 *
 * <p><b>Ownership.</b> {@link #acquire} gives the chunk to the caller. Closing the window gives up its reserve; chunks
 * still out keep their charge until they are released.
 *
 * <p><b>Threads.</b> One thread at a time acquires; any thread releases, {@linkplain #interruptAcquire() interrupts} or
 * reads the numbers. {@code state} packs live and granted chunks and the closed mark in one word, so that each change
 * is one compare-and-set and {@code live <= size} and {@code live <= granted} hold at every instant.
 */
public final class ChunkWindow implements AutoCloseable {

    private static final long CLOSED = 1L << 62;
    private static final long ONE_GRANTED = 1L << 31;
    private static final long LIVE_MASK = ONE_GRANTED - 1;

    /** Half of the default window, 256 KiB, comes back in that time at 125 MiB/s: with a slower link there is time to wake for each. */
    private static final long HALF_NANOS = 2_000_000;

    private static final VarHandle STATE;
    private static final VarHandle CALLBACK;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(ChunkWindow.class, "state", long.class);
            CALLBACK = lookup.findVarHandle(ChunkWindow.class, "callback", Call.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ChunkPool pool;
    private final Object holder;
    private int size;
    private int reserve;

    private volatile long state;

    /** Without spinning: what is waited for is a sink's write or another result's, not some instructions. */
    private final Waiting waiting = new Waiting(0);

    private boolean wakesForHalf;

    /** A release that leaves more chunks live does not signal. */
    private volatile int wakesAt = Integer.MAX_VALUE;

    private volatile @Nullable Call callback;
    private volatile boolean interrupted;
    private volatile int peak;
    private Budget.@Nullable Claim claim;
    private Budget.@Nullable Claim reserveClaim;
    private volatile long budgetStallNanos;
    private volatile long windowStallNanos;

    /** What is to run once, as soon as at most so many chunks are live. */
    private record Call(int mostLive, Runnable run) {}

    ChunkWindow(ChunkPool pool, Object holder, int size, int reserve) {
        this.pool = pool;
        this.holder = holder;
        this.size = size;
        this.reserve = reserve;
    }

    /** The most chunks that may be live at once. */
    public int size() {
        return size;
    }

    /** Chunks acquired and not yet released. */
    public int live() {
        return live(state);
    }

    /** The most chunks that were live at once. */
    public int peak() {
        return peak;
    }

    /** Bytes of the chunks acquired and not yet released, by capacity. */
    public long liveBytes() {
        return (long) live() * pool.chunkBytes();
    }

    /** The most bytes that were live at once, by capacity. */
    public long peakLiveBytes() {
        return (long) peak * pool.chunkBytes();
    }

    /** How many acquirers wait for a chunk of this window, or to be called back for one: 1 or 0; out of date at once. */
    public int waiting() {
        return waiting.occupied() || callback != null ? 1 : 0;
    }

    /** Nanoseconds the acquiring thread waited for the process's budget, without a wait that has not ended. */
    public long budgetStallNanos() {
        return budgetStallNanos;
    }

    /** Nanoseconds the acquiring thread waited for its own chunks to come back, without a wait that has not ended. */
    public long windowStallNanos() {
        return windowStallNanos;
    }

    Object holder() {
        return holder;
    }

    /**
     * Acquires a chunk, waiting for it.
     *
     * @throws BudgetExhaustedException when the window holds no chunk whose return could help, and the pool's patience
     *     ran out
     * @throws InterruptedIOException when interrupted, or when {@link #interruptAcquire()} was called; a thread's
     *     interrupt flag is kept
     */
    public Chunk acquire() throws IOException {
        Chunk chunk = interrupted ? null : tryAcquire();
        return chunk != null ? chunk : acquireSlowly();
    }

    /**
     * Waits until at most so many of the window's chunks are live. For the thread that acquires.
     *
     * @throws InterruptedIOException as {@link #acquire}
     */
    public void awaitLive(int most) throws InterruptedIOException {
        if (live() <= most) {
            return;
        }
        long start = System.nanoTime();
        try {
            awaitAtMost(most, Waiting.NO_DEADLINE);
        } catch (InterruptedException e) {
            throw keepFlag();
        } finally {
            addStall(false, System.nanoTime() - start);
        }
        if (interrupted) {
            throw new InterruptedIOException("waiting for chunks to come back was cancelled");
        }
    }

    /**
     * From here on an acquire that finds every place taken waits for half of them, for two milliseconds at most. It pays where an event
     * loop releases chunks, between a write and the next; where a thread of its own writes them, it costs more than it saves
     * (bench/README.md, "Half a window"). For the thread that acquires.
     */
    public void wakeForHalf() {
        wakesForHalf = true;
    }

    /** A chunk if one can be had at once, else null. */
    public @Nullable Chunk tryAcquire() {
        if (!reserved()) {
            return null;
        }
        for (; ; ) {
            long now = state;
            int live = live(now);
            if ((now & CLOSED) != 0) {
                throw new IllegalStateException("the window of " + holder + " is closed");
            }
            if (live == size) {
                return null;
            }
            if (live < granted(now)) {
                if (STATE.compareAndSet(this, now, now + 1)) {
                    leaveLine();
                    return begin(live + 1);
                }
            } else if (takePermit()) {
                return begin(live((long) STATE.getAndAdd(this, ONE_GRANTED + 1)) + 1);
            } else {
                return null;
            }
        }
    }

    /**
     * A chunk if one can be had at once; else null, and {@code available} runs once, as soon as another try is worth
     * it, on the thread that frees the chunk. It must be brief: it may run on an I/O thread, or before this returns.
     */
    public @Nullable Chunk tryAcquire(Runnable available) {
        Chunk chunk = tryAcquire();
        if (chunk == null) {
            callBack(size - 1, available);
        }
        return chunk;
    }

    /**
     * Has {@code available} run once, as {@link #tryAcquire(Runnable)} does, when a chunk can be had while at most so many
     * are live: who takes several at a time need not be called for each.
     */
    public void callBack(int mostLive, Runnable available) {
        if ((state & CLOSED) != 0) {
            return;
        }
        callback = new Call(mostLive, available);
        if (live() <= mostLive) {
            joinLineIfBudgetIsShort();
        }
        // A chunk may have come back between the try and the registration: then nobody else will call.
        if (obtainable()) {
            fireCallback();
        }
    }

    /**
     * Has {@code idle} run once, when no chunk is out any more: now, or on the thread that releases the last. For the thread that
     * acquires, which does so no more.
     */
    public void whenIdle(Runnable idle) {
        leaveLine();
        callback = new Call(0, idle);
        fireCallback();
    }

    /**
     * Opens a second window for another thread of the same result. It gets its places and its reserve from this one's,
     * so that both reserves are had at once or not at all. To be called before any chunk is acquired.
     */
    public ChunkWindow split(Object otherHolder, int places, int otherReserve) {
        if (places < 1 || otherReserve > places || size - places < reserve - otherReserve || otherReserve > reserve) {
            throw new IllegalArgumentException(
                    places + " places of " + size + ", reserve " + otherReserve + " of " + reserve);
        }
        if (!STATE.compareAndSet(this, reserve * ONE_GRANTED, (reserve - otherReserve) * ONE_GRANTED)) {
            throw new IllegalStateException("only a fresh window with its reserve can be split");
        }
        size -= places;
        reserve -= otherReserve;
        ChunkWindow other = new ChunkWindow(pool, otherHolder, places, otherReserve);
        other.state = otherReserve * ONE_GRANTED;
        return other;
    }

    /** Makes a blocked acquire, and every later one, fail: the result is cancelled. */
    public void interruptAcquire() {
        interrupted = true;
        wake();
    }

    /** Gives up the reserve. Chunks still out count until they are released, which calls nobody back any more. */
    @Override
    public void close() {
        if (callback != null) {
            callback = null;
        }
        leaveLine();
        Budget.Claim whole = reserveClaim;
        if (whole != null) {
            reserveClaim = null;
            pool.budget().withdraw(whole);
        }
        long now = state;
        while ((now & CLOSED) == 0) {
            int live = live(now);
            long next = CLOSED | live * ONE_GRANTED | live;
            if (STATE.compareAndSet(this, now, next)) {
                pool.budget().give(granted(now) - live);
                return;
            }
            now = state;
        }
    }

    void takeReserve() throws IOException {
        if (reserve == 0) {
            return;
        }
        if (!pool.budget().tryTake(reserve)) {
            waitForReserve();
        }
        grant();
    }

    void claimReserve() {
        if (reserve == 0) {
            return;
        }
        if (pool.budget().tryTake(reserve)) {
            grant();
        } else {
            reserveClaim = pool.budget().join(reserve, this::wake);
        }
    }

    /** Whether the reserve has come; without it no chunk is had, lest windows with half a reserve block each other. */
    private boolean reserved() {
        Budget.Claim whole = reserveClaim;
        if (whole != null && whole.granted()) {
            reserveClaim = null;
            grant();
            return true;
        }
        return whole == null;
    }

    private void waitForReserve() throws IOException {
        if (pool.patienceNanos() == 0) {
            throw pool.exhausted("no reserve of " + reserve + " chunks is free", holder);
        }
        Budget.Claim mine = pool.budget().join(reserve, waiting::signal);
        boolean kept = false;
        long start = System.nanoTime();
        try {
            kept = waiting.await(mine::granted, start + pool.patienceNanos());
        } catch (InterruptedException e) {
            throw keepFlag();
        } finally {
            addStall(true, System.nanoTime() - start);
            if (!kept) {
                pool.budget().withdraw(mine);
            }
        }
        if (!kept) {
            throw pool.exhausted(
                    "no reserve of " + reserve + " chunks came free within " + pool.patienceNanos() / 1_000_000 + " ms",
                    holder);
        }
    }

    private void grant() {
        STATE.getAndAdd(this, reserve * ONE_GRANTED);
    }

    /** One thread at a time acquires, so no sum is lost. */
    private void addStall(boolean ofBudget, long nanos) {
        long before = ofBudget ? budgetStallNanos : windowStallNanos;
        if (ofBudget) {
            budgetStallNanos = before + nanos;
        } else {
            windowStallNanos = before + nanos;
        }
    }

    private Chunk acquireSlowly() throws IOException {
        long start = System.nanoTime();
        boolean budgetShort = false;
        try {
            for (; ; ) {
                if (interrupted) {
                    throw new InterruptedIOException("acquire of a chunk was cancelled");
                }
                Chunk chunk = tryAcquire();
                if (chunk != null) {
                    return chunk;
                }
                budgetShort |= joinLineIfBudgetIsShort();
                if (!awaitChange(start)) {
                    throw pool.exhausted(
                            "no chunk came free within " + pool.patienceNanos() / 1_000_000 + " ms", holder);
                }
            }
        } catch (InterruptedException e) {
            throw keepFlag();
        } finally {
            leaveLine();
            addStall(budgetShort, System.nanoTime() - start);
        }
    }

    /**
     * Waits until another try is worth it; false when patience ran out. Only who holds nothing that could come back is
     * bound by it, so who comes to hold nothing while waiting takes another turn with the deadline.
     */
    private boolean awaitChange(long start) throws InterruptedException {
        if (live() == 0) {
            return waiting.await(() -> interrupted || obtainable(), start + pool.patienceNanos());
        }
        if (wakesForHalf && live() == size && awaitHalf()) {
            return true;
        }
        return waiting.await(() -> interrupted || obtainable() || live() == 0, Waiting.NO_DEADLINE);
    }

    /**
     * Waits for half of a full window: who is woken for each chunk does little else. Not for long, for a sink may keep more than half
     * of them for itself.
     */
    private boolean awaitHalf() throws InterruptedException {
        return awaitAtMost(size / 2, System.nanoTime() + HALF_NANOS);
    }

    private boolean awaitAtMost(int most, long deadline) throws InterruptedException {
        wakesAt = most; // whoever released before it saw this signals for nothing
        try {
            return waiting.await(() -> interrupted || live() <= most, deadline);
        } finally {
            wakesAt = Integer.MAX_VALUE;
        }
    }

    /** Whether another try is worth it: there is a place, and if it needs a permit, nobody said yet that none is free. */
    private boolean obtainable() {
        Budget.Claim whole = reserveClaim;
        if (whole != null) {
            return whole.granted();
        }
        long now = state;
        if (live(now) == size) {
            return false;
        }
        Budget.Claim mine = claim;
        return mine == null || mine.granted() || live(now) < granted(now);
    }

    private boolean joinLineIfBudgetIsShort() {
        long now = state;
        if (reserveClaim == null && live(now) < size && live(now) == granted(now) && claim == null) {
            claim = pool.budget().join(1, this::wake);
        }
        return claim != null || reserveClaim != null;
    }

    private boolean takePermit() {
        Budget.Claim mine = claim;
        if (mine == null) {
            return pool.budget().tryTake(1);
        }
        if (mine.granted()) {
            claim = null;
            return true;
        }
        return false;
    }

    private void leaveLine() {
        Budget.Claim mine = claim;
        if (mine != null) {
            claim = null;
            pool.budget().withdraw(mine);
        }
    }

    private Chunk begin(int live) {
        assert live <= size : live + " chunks live, window " + size;
        if (live > peak) {
            peak = live; // one acquiring thread: no update is lost
        }
        try {
            return pool.take(this);
        } catch (Throwable e) {
            released(); // no memory for a new slab: neither permit nor place may be lost
            throw e;
        }
    }

    /** Called by the pool when a chunk is back in the recycler; on any thread. */
    void released() {
        for (; ; ) {
            long now = state;
            int live = live(now) - 1;
            int kept = (now & CLOSED) != 0 ? live : Math.max(live, reserve);
            int surplus = granted(now) - kept;
            if (STATE.compareAndSet(this, now, now - 1 - surplus * ONE_GRANTED)) {
                try {
                    pool.budget().give(surplus);
                } finally {
                    if (live <= wakesAt) {
                        waiting.signal();
                    }
                    fireCallback();
                }
                return;
            }
        }
    }

    private void wake() {
        waiting.signal();
        fireCallback();
    }

    private void fireCallback() {
        Call call = callback;
        if (call != null && live() <= call.mostLive && CALLBACK.compareAndSet(this, call, null)) {
            Budget.callBack(call.run);
        }
    }

    private static InterruptedIOException keepFlag() {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while waiting for a chunk");
    }

    private static int live(long state) {
        return (int) (state & LIVE_MASK);
    }

    private static int granted(long state) {
        return (int) ((state & ~CLOSED) >>> 31);
    }
}
