// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.collection.LongObjectHashMap;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.mux.Waits.Wait;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The sending end of a connection: results take turns, one chunk each, as far as their credit goes.
 *
 * <p>At most so many chunks' bytes are inside the link at once, so that a turn is decided late and what waits, waits here.
 *
 * <p><b>Threads.</b> Any thread opens and offers; the rest is the loop's. Who offers while the connection is being lost
 * settles its own result: {@code lost} is written before the loop settles those it knows, and read behind each offer.
 */
public final class Sender {

    private final Link link;
    private final LongSupplier clock;
    private final int mostInside;
    private final int manyResults;
    private final Mailbox<Outgoing> mailbox;
    private final Coalescer coalescer;
    private final Tally tally;
    private final LongObjectHashMap<Outgoing> streams = new LongObjectHashMap<>();
    private final ArrayDeque<Outgoing> turns = new ArrayDeque<>();
    private Account shared;
    private int receiversChunk;
    private long initialCredit;
    private boolean open;

    /** How long gathered results wait for credit that all share: more than it takes to decode what has come before, if that goes on. */
    private static final long PATIENCE_NANOS = 5_000_000;

    /** What that credit did not reach, whole or in part. */
    private Coalescer.@Nullable Batch held;

    private long heldBytes;

    private long heldSince;

    /** None came in that time: until some does, results go on by themselves at once. */
    private boolean creditIsLate;

    /** Results that were gathered and are open: so many small ones are under way. */
    private int together;

    /** A failure was written and not flushed. */
    private boolean gaveUp;

    /** What is inside the link: of a region that is released nobody could tell its bytes any more. */
    private final ArrayDeque<Inside> writes = new ArrayDeque<>();

    private long inside;
    private volatile @Nullable ResultFate lost;

    /** Bytes that the link was given at once; of one result, or of several. */
    private record Inside(int bytes, @Nullable Outgoing result) {}

    /** @param coalescing where chunks for small results come from; becomes this object's */
    Sender(
            Link link,
            LongSupplier clock,
            Loop loop,
            MuxSettings settings,
            int chunkBytes,
            ChunkWindow coalescing,
            Tally tally) {
        this.link = link;
        this.clock = clock;
        this.mostInside = settings.mostInside();
        this.manyResults = settings.manyResults();
        this.mailbox = new Mailbox<>(loop, this::drain);
        this.coalescer = new Coalescer(coalescing, chunkBytes, tally, mailbox::wake);
        this.tally = tally;
        this.shared = new Account(FrameLayout.MAX_CHUNK_SIZE, tally.sharedCredit);
    }

    /**
     * Opens a result; the receiver hears of it with its first frames.
     *
     * @param stream used once on this connection, not 0
     * @param declared payload bytes if they are known, else −1
     * @param fate completed with what becomes of it, on the loop or where the connection is given up
     */
    public Outgoing open(long stream, ResultId id, long declared, CompletableFuture<ResultFate> fate) {
        return new Outgoing(this, stream, id, declared, fate);
    }

    /** Results that are neither settled nor given up; on the loop. */
    public int openResults() {
        return streams.size();
    }

    /** Credit that all share, of chunks that are not begun; on the loop. */
    long sharedCredit() {
        return shared.credit();
    }

    /** Bytes inside the link; on the loop. */
    public long bytesInside() {
        return inside;
    }

    Tally tally() {
        return tally;
    }

    /** From any thread. */
    long now() {
        return clock.getAsLong();
    }

    private boolean hasRoom() {
        return inside + receiversChunk <= (long) mostInside * receiversChunk;
    }

    @Nullable
    ResultFate lost() {
        return lost;
    }

    void ready(Outgoing result) {
        mailbox.offer(result);
    }

    boolean coalesce(Outgoing result, Chunk whole) throws IOException {
        if (lost != null || !coalescer.add(result, whole)) {
            return false;
        }
        mailbox.wakeSoon();
        if (lost != null) {
            dropCoalesced(lost);
        }
        return true;
    }

    /** The receiver has told what it takes: from here on frames are sent. */
    void begin(int chunkBytes, long creditOfEach) {
        receiversChunk = chunkBytes;
        initialCredit = creditOfEach;
        shared = new Account(chunkBytes, tally.sharedCredit);
        open = true;
        drain();
    }

    private void drain() {
        mailbox.begin();
        for (Outgoing result = mailbox.poll(); result != null; result = mailbox.poll()) {
            result.unlist();
            enlist(result);
        }
        pump(true);
        if (gaveUp && lost == null) {
            gaveUp = false;
            link.flush();
        }
    }

    private void enlist(Outgoing result) {
        ResultFate over = lost;
        if (over != null) {
            result.settle(over);
            return;
        }
        ResultFate settled = result.settled();
        if (settled != null) {
            giveUp(result, settled);
            return;
        }
        register(result);
        if (!result.inTurns && result.hasQueued()) {
            result.inTurns = true;
            turns.add(result);
        }
        if (result.inTurns) {
            result.waits.queued(clock);
        }
    }

    private void register(Outgoing result) {
        if (!result.registered) {
            result.registered = true;
            streams.put(result.stream(), result);
            tally.resultsBegun.add(1);
        }
    }

    /** Sends what may be sent; a chunk of gathered results that is not full only if {@code part}, and but once. */
    private void pump(boolean part) {
        if (!open || lost != null) {
            return;
        }
        boolean wrote = false;
        boolean more = true;
        boolean first = true;
        while (more && hasRoom()) {
            boolean fresh = held == null;
            more = sendCoalesced(part && first);
            first &= !fresh; // behind what was held nothing has been taken
            if (hasRoom()) {
                more |= takeTurn();
            }
            wrote |= more;
        }
        if (wrote) {
            link.flush();
        }
        if (held != null && hasRoom()) {
            mailbox.expectMore(); // to see whether it has waited long enough
        }
    }

    private boolean takeTurn() {
        Outgoing result = turns.poll();
        if (result == null) {
            return false;
        }
        int taken = sendTurn(result);
        if (taken == 0) {
            result.inTurns = false;
            if (result.hasQueued()) {
                result.starves(clock.getAsLong());
                announce(result);
            } else {
                result.waits.unqueued();
            }
            return true;
        }
        result.goesOn(taken, clock.getAsLong());
        if (result.wantsCredit(initialCredit)) {
            announce(result);
        }
        turns.add(result);
        if (result.terminalSent() && result.settled() != null) {
            forget(result);
        }
        return true;
    }

    /** One chunk's worth: what was cut around a body by reference is one turn. */
    private int sendTurn(Outgoing result) {
        int bytes = 0;
        for (Departure taken = result.take(shared, initialCredit, receiversChunk, 0);
                taken != null;
                taken = result.take(shared, initialCredit, receiversChunk, bytes)) {
            bytes += taken.wireBytes();
            write(taken, result);
        }
        return bytes;
    }

    private void write(Departure frames, @Nullable Outgoing of) {
        writes.add(new Inside(frames.wireBytes(), of));
        inside += frames.wireBytes();
        tally.inside.set(inside);
        link.write(frames);
    }

    /** Until it is written, or its results go on by themselves, a gathered chunk is held, so that it is not lost with the connection. */
    private boolean sendCoalesced(boolean part) {
        Coalescer.Batch waited = held;
        Coalescer.Batch batch = waited == null ? coalescer.take(part) : waited;
        if (batch == null) {
            return false;
        }
        Region all = batch.region();
        if (waited == null) {
            hold(batch);
            begin(batch);
        }
        boolean sent = sendPaid(all);
        if (lost != null) {
            return false; // in the very moment when the link was given some: and so was what is held
        }
        long now = clock.getAsLong();
        if (all.from() == all.to()) {
            hold(null);
            all.release();
        } else if (waitsForCredit(batch, waited != null, now)) {
            hold(batch);
        } else {
            hold(null);
            sendSingly(all);
        }
        for (Outgoing result : batch.results()) {
            result.sentWithOthers(now, held != null);
        }
        return sent || held == null;
    }

    /** Sends frames as far as credit goes, and passes over those of results that were settled; whether some were sent. */
    private boolean sendPaid(Region all) {
        boolean sent = false;
        int end = all.from();
        while (end < all.to()) {
            Outgoing payer = streams.get(all.streamAt(end));
            if (payer == null) {
                sent |= sendHead(all, end);
                if (lost != null) {
                    return false;
                }
                all.head(all.behind(end)).release();
                end = all.from();
            } else if (payer.pays(all, end, shared, initialCredit)) {
                end = all.behind(end);
            } else {
                break;
            }
        }
        return sendHead(all, end) || sent;
    }

    private boolean sendHead(Region all, int end) {
        boolean some = end > all.from();
        if (some) {
            write(all.head(end), null);
        }
        return some;
    }

    private void begin(Coalescer.Batch batch) {
        for (Outgoing result : batch.results()) {
            register(result);
            if (!result.together && streams.get(result.stream()) == result) {
                result.together = true;
                together++;
            }
        }
        if (together >= manyResults) {
            mailbox.expectMore();
        }
    }

    /** Whether it is credit that all share that what is left of several results needs, and worth waiting for. */
    private boolean waitsForCredit(Coalescer.Batch batch, boolean waited, long now) {
        if (!waited) {
            heldSince = now;
        }
        Region rest = batch.region();
        long stream = rest.streamAt(rest.from());
        Outgoing payer = streams.get(stream);
        boolean several = batch.results().get(batch.results().size() - 1).stream() != stream;
        if (payer == null || !several || !payer.maySpend(rest.frameBytesAt(rest.from()), initialCredit)) {
            return false;
        }
        creditIsLate |= now - heldSince > PATIENCE_NANOS;
        return !creditIsLate;
    }

    private void hold(Coalescer.@Nullable Batch batch) {
        tally.backlog.add(-heldBytes);
        heldBytes = batch == null ? 0 : batch.region().wireBytes();
        tally.backlog.add(heldBytes);
        held = batch;
    }

    /** What the shared credit does not reach: each of the results goes on by itself, with credit of its own. */
    private void sendSingly(Region rest) {
        int begin = rest.from();
        while (begin < rest.to()) {
            long stream = rest.streamAt(begin);
            int end = begin;
            while (end < rest.to() && rest.streamAt(end) == stream) {
                end = rest.behind(end);
            }
            Outgoing result = streams.get(stream);
            if (result != null) {
                result.addPart(rest.part(begin, end));
                enlist(result);
            }
            begin = end;
        }
        rest.release();
    }

    private void announce(Outgoing result) {
        if (!result.announced) {
            result.announced = true;
            writeBacklog(result, false);
        }
    }

    private void writeBacklog(Outgoing result, boolean own) {
        ByteBuf frame = Unpooled.buffer(64);
        ControlWriter.backlog(frame, result.stream(), result.queuedBytes(), own);
        link.write(frame);
    }

    void credit(long stream, long bytes) {
        if (stream == 0) {
            shared.grant(bytes);
            creditIsLate = false;
            reviveAll();
        } else {
            Outgoing result = streams.get(stream);
            if (result == null || result.terminalSent()) {
                return; // it ended while the credit was under way
            }
            if (result.grant(bytes, receiversChunk)) {
                writeBacklog(result, true);
            }
            result.waits.revived(clock);
            enlist(result);
        }
    }

    /** Credit that all share has come: whoever starves may try. One that was settled meanwhile goes, so not from the map itself. */
    private void reviveAll() {
        for (Outgoing result : new ArrayList<>(streams.values())) {
            enlist(result);
        }
    }

    /** All that came in one go has been told: what it makes possible is done. */
    void flush() {
        pump(true);
        link.flush();
    }

    void fate(long stream, ResultFate fate, long now) {
        Outgoing result = streams.get(stream);
        if (result == null) {
            return;
        }
        settle(result, fate, now);
        giveUp(result, fate);
    }

    private static void settle(Outgoing result, ResultFate fate, long now) {
        result.waits.go(Wait.NOTHING, now); // first: whoever is told looks at what was waited
        result.settle(fate);
    }

    /** It is settled, so nothing more of it is sent but, if the receiver waits for it, its terminal. */
    private void giveUp(Outgoing result, ResultFate fate) {
        if (!result.terminalSent() && result.begun() && lost == null) {
            result.endSent();
            gaveUp = true;
            link.write(abandonment(result, fate));
        }
        forget(result);
    }

    private static ByteBuf abandonment(Outgoing result, ResultFate fate) {
        ByteBuf frame = Unpooled.buffer(256);
        ResultFailure failure = new ResultFailure(
                FailurePhase.CANCELLED, "", fate.verdict() + ": " + fate.reason(), "", result.sentBytes(), 0, false);
        FrameSealer.behind(result.stream(), result.framesSent()).appendFailure(frame, failure, FrameLayout.MAX_FRAME);
        return frame;
    }

    private void forget(Outgoing result) {
        if (streams.remove(result.stream()) != null) {
            ended(result);
        }
    }

    private void ended(Outgoing result) {
        if (result.together) {
            together--;
        }
        result.endSent();
        ResultFate fate = result.settled();
        boolean accepted = fate != null && fate.verdict() == Verdict.ACCEPTED;
        (accepted ? tally.resultsAccepted : tally.resultsFailed).add(1);
    }

    /** A region that the link was given is out, or never will be. */
    void written() {
        Inside out = writes.poll(); // in the order in which the link was given them
        if (out != null) {
            inside -= out.bytes;
            tally.inside.set(inside);
            if (out.result != null) {
                out.result.out(out.bytes, clock);
            }
        }
        if (hasRoom()) {
            pump(!mailbox.expectsMore());
        }
    }

    /** Looks at the results that have wanted credit for too long. */
    void tick(MuxSettings settings, Starving starving) {
        long now = clock.getAsLong();
        for (Outgoing result : new ArrayList<>(streams.values())) {
            long since = result.starvedSince();
            if (since != 0 && now - since > settings.creditPatience()) {
                String reason = "no credit for " + (now - since) / 1_000_000 + " ms";
                settle(result, new ResultFate(Verdict.LOST, reason, true), now);
                giveUp(result, new ResultFate(Verdict.LOST, reason, true));
            } else if (since != 0 && now - since > settings.spillAfter() && result.beginsSpilling()) {
                starving.spill(result);
            }
        }
        link.flush();
    }

    /** The connection is no more: all that is open is lost with it. */
    void lose(ResultFate fate) {
        if (lost != null) {
            return;
        }
        lost = fate;
        open = false;
        mailbox.expectNothing();
        coalescer.close();
        Coalescer.Batch waiting = held;
        if (waiting != null) {
            hold(null);
            waiting.region().release();
        }
        dropCoalesced(fate);
        mailbox.begin();
        for (Outgoing result = mailbox.pollAll(); result != null; result = mailbox.pollAll()) {
            result.settle(fate);
        }
        long now = clock.getAsLong();
        for (Outgoing result : new ArrayList<>(streams.values())) {
            settle(result, fate, now);
            ended(result);
        }
        streams.clear();
        turns.clear();
    }

    private void dropCoalesced(ResultFate fate) {
        for (Coalescer.Batch batch = coalescer.take(true); batch != null; batch = coalescer.take(true)) {
            batch.region().release();
            for (Outgoing result : batch.results()) {
                result.settle(fate);
            }
        }
    }
}
