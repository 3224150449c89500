// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.mux.Waits.Wait;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One result on its way out over a shared connection: frames that wait for their turn and for credit.
 *
 * <p>When credit has been wanted for too long, what waits and what comes goes to a file, and the window is free again; the
 * file's frames follow when there is credit, in front of what may wait in memory because the disk's budget was spent.
 *
 * <p><b>Ownership.</b> Chunks offered are this object's until the connection takes them, or the result is settled; so is the
 * file.
 *
 * <p><b>Threads.</b> The result's sending thread offers, the connection's loop takes, either settles; the queue is guarded by
 * this object's monitor. What is not, is the loop's own. {@code settled} is set under the monitor: an offer that comes
 * behind it takes nothing. One thread at a time writes to the file: the one that moves the queue there, and when the queue
 * is empty and {@code moving} false, the sending thread.
 */
public final class Outgoing {

    private static final Logger LOG = System.getLogger(Outgoing.class.getName());
    private static final ResultFate NEVER_SENT =
            new ResultFate(Verdict.CANCELLED, "it failed before anything of it was sent", false);

    private final Sender sender;
    private final long stream;
    private final ResultId id;
    private final long declared;
    private final ArrayDeque<Region> queue = new ArrayDeque<>(2);
    private final CompletableFuture<ResultFate> fate;
    private volatile @Nullable ResultFate settled;
    private long queuedBytes;
    private @Nullable Spill spill;
    private boolean moving;
    private boolean spillFull;

    /** A failure waits, or is out: whatever lay before it, in memory or on disk, is worth nothing. */
    private boolean failed;

    private @Nullable CompletableFuture<Void> stored;
    private boolean begun;
    private boolean terminalSent;

    /** Whether it lies in the mailbox: once is enough. */
    private final AtomicBoolean listed = new AtomicBoolean();

    final Waits waits = new Waits();
    boolean registered;
    boolean inTurns;
    boolean announced;

    /** It went with other small ones, and is counted there. */
    boolean together;

    private boolean spillAsked;
    private @Nullable Account own;
    private long sharedBytes;
    private long framesSent;
    private long starvedSince;
    private volatile long sentBytes;
    private volatile long spilledBytes;

    Outgoing(Sender sender, long stream, ResultId id, long declared, CompletableFuture<ResultFate> fate) {
        this.sender = sender;
        this.stream = stream;
        this.id = id;
        this.declared = declared;
        this.fate = fate;
    }

    public ResultId id() {
        return id;
    }

    long stream() {
        return stream;
    }

    /** What has become of it, or null. */
    public @Nullable ResultFate settled() {
        return settled;
    }

    /** Nanoseconds it waited for credit with frames to send. */
    public long creditStallNanos() {
        return waits.creditNanos();
    }

    /** Nanoseconds its frames, which had credit as far as was known, waited for their turn and were inside the link. */
    public long linkStallNanos() {
        return waits.linkNanos();
    }

    /** Nanoseconds from when all of it was out to its fate. */
    public long acknowledgementStallNanos() {
        return waits.acknowledgementNanos();
    }

    /** Nanoseconds spent writing it to disk. */
    public long diskStallNanos() {
        return waits.diskNanos();
    }

    /** Nanoseconds its sending thread waited for room among small results. */
    public long roomStallNanos() {
        return waits.roomNanos();
    }

    /** Bytes that went to disk. */
    public long spilledBytes() {
        return spilledBytes;
    }

    /** Bytes given to the link. */
    public long sentBytes() {
        return sentBytes;
    }

    /**
     * Sends a chunk of sealed frames; retains it. False when the result is settled: nothing was taken.
     *
     * @throws IOException when it was to be spilled and could not
     */
    public boolean offer(Chunk chunk) throws IOException {
        chunk.retain();
        Region region = Region.all(chunk);
        Spill to;
        boolean taken;
        synchronized (this) {
            boolean failure = lastKind(region) == FrameKind.FAILURE;
            to = moving || failure || !queue.isEmpty() || spillFull ? null : spill;
            taken = settled == null && (to != null || enqueue(region, failure));
        }
        if (taken && to != null) {
            taken = spill(to, region);
        } else if (!taken) {
            region.release();
        }
        if (!taken) {
            boolean givenUp = settle(NEVER_SENT);
            if (givenUp) {
                list(); // the loop may know of it
            }
            return givenUp;
        }
        list();
        ResultFate lost = sender.lost();
        if (lost != null) {
            settle(lost); // the loop may be gone: nobody else would
        }
        return true;
    }

    /** Writes a region to the file, or queues it when the disk's budget is spent. */
    private boolean spill(Spill to, Region region) throws IOException {
        boolean written = false;
        long began = sender.now();
        try {
            written = to.append(region);
            wrote(written ? region.wireBytes() : 0, began);
        } catch (IOException e) {
            region.release();
            if (settled != null) {
                return false; // the file was closed with it
            }
            abandon(new ResultFate(Verdict.LOST, "could not be spilled: " + e, true));
            throw e;
        }
        synchronized (this) {
            if (written || settled != null) {
                region.release();
            } else {
                spillFull = true;
                queue.add(region);
                addQueued(region.wireBytes());
            }
            return settled == null;
        }
    }

    private void wrote(int bytes, long began) {
        waits.wroteToDisk(began, sender.now());
        long before = spilledBytes;
        spilledBytes = before + bytes; // one thread at a time writes
        sender.tally().spilled.add(bytes);
    }

    /**
     * Moves what waits to a file, and has what comes go there. To be run where the disk may be waited for.
     *
     * @throws IOException when the file cannot be made or written; the result is to be {@linkplain #abandon abandoned}
     */
    void moveTo(SpillDirectory directory, Executor executor) throws IOException {
        Spill to = new Spill(directory.open(id), executor);
        synchronized (this) {
            moving = settled == null && !failed && spill == null;
            if (!moving) {
                to.end();
                return;
            }
            spill = to;
        }
        boolean written = true;
        for (Region next = nextToMove(true); next != null; next = nextToMove(written)) {
            long began = sender.now();
            try {
                written = to.append(next);
                wrote(written ? next.wireBytes() : 0, began);
            } catch (IOException e) {
                next.release();
                if (!isFailed()) {
                    throw e;
                }
                continue; // the file was closed meanwhile
            }
            if (written) {
                next.release();
            } else {
                putBack(next);
            }
        }
        list();
        tellStored();
    }

    /** Moves it there; what fails in that fails the result. */
    void spillOn(Executor executor, SpillDirectory directory) {
        try {
            executor.execute(() -> {
                try {
                    moveTo(directory, executor);
                } catch (Throwable e) {
                    abandon(new ResultFate(Verdict.LOST, "could not be spilled: " + e, true));
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.log(Level.WARNING, "the spilling executor refuses: " + id + " waits in memory", e);
        }
    }

    private synchronized @Nullable Region nextToMove(boolean goOn) {
        Region next = goOn && settled == null && !failed ? queue.poll() : null;
        moving = next != null;
        spillFull |= !goOn;
        if (next != null) {
            addQueued(-next.wireBytes());
        }
        return next;
    }

    private synchronized boolean isFailed() {
        return failed;
    }

    private synchronized void putBack(Region region) {
        if (settled != null || failed) {
            region.release();
            return;
        }
        queue.addFirst(region);
        addQueued(region.wireBytes());
    }

    /** Completed when all of it, which must have been offered, is sent or on disk, and a part of it went there. */
    public synchronized CompletableFuture<Void> stored() {
        CompletableFuture<Void> known = stored;
        if (known == null) {
            known = new CompletableFuture<>();
            stored = known;
        }
        tellStored();
        return known;
    }

    private synchronized void tellStored() {
        if (stored != null && spill != null && !moving && queue.isEmpty()) {
            stored.complete(null);
        }
    }

    /** Whether part of it went to disk. */
    public boolean spilled() {
        return spill != null;
    }

    /** Gives it up on this side: the receiver is told, if it has heard of it. */
    public void abandon(ResultFate why) {
        if (settle(why)) {
            list();
        }
    }

    /**
     * Sends a result whose only chunk this is together with others, waiting for room; false when it is too long for that.
     *
     * @throws java.io.InterruptedIOException when interrupted while waiting
     */
    public boolean offerWhole(Chunk chunk) throws IOException {
        return settled == null && sender.coalesce(this, chunk);
    }

    /** Under this object's monitor. */
    private void addQueued(long bytes) {
        queuedBytes += bytes;
        sender.tally().backlog.add(bytes);
    }

    /** A failure goes in front of what it makes worthless; of a result that was not begun nobody need know. */
    private boolean enqueue(Region region, boolean failure) {
        if (failure) {
            failed = true;
            drop();
            if (!begun) {
                return false;
            }
        }
        queue.add(region);
        addQueued(region.wireBytes());
        return true;
    }

    private static FrameKind lastKind(Region region) {
        FrameKind kind = FrameKind.UNKNOWN;
        for (int frame = region.from(); frame < region.to(); frame = region.behind(frame)) {
            kind = region.kindAt(frame);
        }
        return kind;
    }

    private void list() {
        if (listed.compareAndSet(false, true)) {
            sender.ready(this);
        }
    }

    /** The loop took it out of the mailbox and is about to look at its queue. */
    void unlist() {
        listed.set(false);
    }

    synchronized boolean hasQueued() {
        Spill from = failed ? null : spill;
        return (from != null && from.hasFrames()) || (!moving && !queue.isEmpty());
    }

    synchronized long queuedBytes() {
        return queuedBytes + (spill == null || failed ? 0 : spill.waitingBytes());
    }

    /** Puts a part of a coalesced chunk, which is this object's from here on, in front of nothing: it is all there is. */
    synchronized void addPart(Region part) {
        if (settled != null) {
            part.release();
            return;
        }
        queue.add(part);
        addQueued(part.wireBytes());
    }

    /**
     * The next frames that can be paid for, the caller's from here on; null when there are none.
     *
     * @param turn bytes of a turn; a frame longer than that is one
     * @param taken bytes that this turn has had
     */
    synchronized @Nullable Departure take(Account shared, long initialCredit, int turn, int taken) {
        Spill from = failed ? null : spill;
        if (from != null && from.hasFrames()) {
            return from.take(
                    (end, bytes) -> pays(end ? FrameKind.END : FrameKind.DATA, bytes, shared, initialCredit),
                    turn,
                    taken);
        }
        return takeQueued(shared, initialCredit, turn, taken);
    }

    private @Nullable Region takeQueued(Account shared, long initialCredit, int turn, int taken) {
        Region first = queue.peek();
        if (first == null || moving) {
            return null;
        }
        int end = first.from();
        int bytes = taken;
        while (end < first.to()
                && fits(first.frameBytesAt(end), turn, bytes)
                && pays(first, end, shared, initialCredit)) {
            bytes += first.frameBytesAt(end);
            end = first.behind(end);
        }
        if (end == first.from()) {
            return null;
        }
        Region head = end == first.to() ? queue.remove() : first.head(end);
        addQueued(-head.wireBytes());
        return head;
    }

    /** Whether a frame belongs to a turn that has had so many bytes. */
    static boolean fits(int frameBytes, int turn, int taken) {
        return taken == 0 || taken + frameBytes <= turn;
    }

    boolean pays(Region region, int frame, Account shared, long initialCredit) {
        return pays(region.kindAt(frame), region.frameBytesAt(frame), shared, initialCredit);
    }

    private boolean pays(FrameKind kind, int bytes, Account shared, long initialCredit) {
        if (kind != FrameKind.OPEN && kind != FrameKind.FAILURE) {
            Account mine = own;
            if (mine != null) {
                if (!mine.charge(bytes)) {
                    return false;
                }
            } else if (!maySpend(bytes, initialCredit) || !shared.charge(bytes)) {
                return false;
            } else {
                sharedBytes += bytes;
            }
        }
        begun = true;
        framesSent++;
        sender.tally().sentFrames.add(1);
        long sent = sentBytes;
        sentBytes = sent + bytes; // the loop's alone to write
        if (kind.terminal()) {
            endSent();
        }
        return true;
    }

    /** Whether it may take so many bytes more of the credit that all share, if there is some. */
    boolean maySpend(int bytes, long initialCredit) {
        return own == null && sharedBytes + bytes <= initialCredit;
    }

    /** Whether more than the initial credit is, or may well be, wanted. */
    boolean wantsCredit(long initialCredit) {
        return own == null && !terminalSent && (declared > initialCredit || 2 * sharedBytes > initialCredit);
    }

    /** Credit of its own has come; true when it is the first, from which on nothing is charged to the shared account. */
    boolean grant(long bytes, int chunkBytes) {
        Account known = own;
        Account mine = known == null ? new Account(chunkBytes, sender.tally().ownCredit) : known;
        own = mine;
        mine.grant(bytes);
        return known == null;
    }

    /** Its terminal is out, or will never be: credit is of no more use to it. */
    void endSent() {
        terminalSent = true;
        Account mine = own;
        if (mine != null) {
            mine.close();
        }
    }

    /** Whether it is to be spilled now, for the first time. */
    boolean beginsSpilling() {
        boolean first = !spillAsked;
        spillAsked = true;
        return first;
    }

    /** Credit of its own, of chunks that are not begun. */
    long ownCredit() {
        Account mine = own;
        return mine == null ? 0 : mine.credit();
    }

    boolean terminalSent() {
        return terminalSent;
    }

    long framesSent() {
        return framesSent;
    }

    boolean begun() {
        return begun;
    }

    void starves(long now) {
        waits.go(Wait.CREDIT, now);
        if (starvedSince == 0) {
            starvedSince = now;
        }
    }

    /** The link was given so many bytes of it. */
    void goesOn(int bytes, long now) {
        starvedSince = 0;
        waits.sent(bytes, now);
    }

    /** Frames of it were among those of others, and how long these are inside the link is not known of each. */
    void sentWithOthers(long now, boolean restIsHeld) {
        if (terminalSent) {
            waits.go(settled == null ? Wait.ACKNOWLEDGEMENT : Wait.NOTHING, now);
        } else if (restIsHeld) {
            waits.go(Wait.CREDIT, now);
        }
    }

    /** The link has let go of so many bytes of it. */
    void out(int bytes, LongSupplier clock) {
        if (waits.out(bytes) && !hasQueued()) {
            boolean unanswered = terminalSent && settled == null;
            waits.go(unanswered ? Wait.ACKNOWLEDGEMENT : Wait.NOTHING, clock.getAsLong());
        }
    }

    /** Since when it has had frames and no credit; 0 when it has not. */
    long starvedSince() {
        return starvedSince;
    }

    /** The result is over: what was not sent is dropped. Once; from any thread. */
    public boolean settle(ResultFate known) {
        synchronized (this) {
            if (settled != null) {
                return false;
            }
            settled = known;
            drop();
        }
        fate.complete(known);
        return true;
    }

    private void drop() {
        for (Region region = queue.poll(); region != null; region = queue.poll()) {
            region.release();
        }
        addQueued(-queuedBytes);
        Spill file = spill;
        if (file != null) {
            file.end();
        }
    }
}
