// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.ResultReader;
import io.tailrace.core.mux.Arriving;
import io.tailrace.core.mux.Host;
import io.tailrace.core.mux.Incarnations;
import io.tailrace.core.mux.JobAccounts;
import io.tailrace.core.mux.Opening;
import io.tailrace.core.mux.Overflow;
import io.tailrace.core.mux.SpillDirectory;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What a server's connections have in common: who is let in, who decodes, and what becomes of each result.
 *
 * <p>Results wait in one line, in the order in which they were announced, for one of so many decoding tasks; a task goes on
 * with the next one as long as there is one. A handler that stands still occupies one task, and delays nobody else while
 * there are others.
 *
 * <p><b>Threads.</b> Loops admit and hand over, decoding threads settle. {@code decoders} counts tasks that run or are about
 * to; one that ends looks at the line again behind its own departure, so no result is left in it.
 */
final class Reception implements Host {

    private static final Logger LOG = System.getLogger(Reception.class.getName());

    private static final int LEAST_SHARE = 2;

    /** As many of these are remembered as results: one will do. */
    private static final ResultFate ACCEPTED = new ResultFate(Verdict.ACCEPTED, "", false);

    private final ResultReader.Builder reading;
    private final ResultServer.Handler handler;
    private final Executor executor;
    private final Counters counters;
    private final Incarnations incarnations;
    private final JobAccounts jobs;
    private final int maxDecoders;
    private final int maxResults;
    private final ConcurrentLinkedQueue<Entry> line = new ConcurrentLinkedQueue<>();
    private final AtomicInteger decoders = new AtomicInteger();
    private final AtomicInteger results = new AtomicInteger();
    private final AtomicInteger share;
    private volatile @Nullable Overflow overflow;

    /** A result that was let in. */
    private static final class Entry {
        final Arriving arriving;
        final Opening.Fresh opening;
        final JobAccounts.Account account;
        final @Nullable ResultEvent event;

        /** It, when its handler has given it away and returned. */
        volatile @Nullable ArrivingResult given;

        volatile long queuedAt;
        volatile long decoderNanos;
        private final AtomicBoolean ended = new AtomicBoolean();

        Entry(Arriving arriving, Opening.Fresh opening, JobAccounts.Account account) {
            this.arriving = arriving;
            this.opening = opening;
            this.account = account;
            this.event = ResultEvent.begin("received", arriving.id());
        }
    }

    Reception(
            ResultReader.Builder reading,
            ResultServer.Handler handler,
            Executor executor,
            Counters counters,
            Incarnations incarnations,
            JobAccounts jobs,
            int maxDecoders,
            int maxResults,
            int shareChunks) {
        this.reading = reading;
        this.handler = handler;
        this.executor = executor;
        this.counters = counters;
        this.incarnations = incarnations;
        this.jobs = jobs;
        this.maxDecoders = maxDecoders;
        this.maxResults = maxResults;
        this.share = new AtomicInteger(shareChunks);
    }

    /** Has results spilled whose readers stand still; to be called before the first connection is made. */
    Overflow spillTo(SpillDirectory disk, Executor spiller, int places) {
        Overflow made = new Overflow(disk, spiller, places);
        overflow = made;
        return made;
    }

    @Override
    public @Nullable Overflow overflow() {
        return overflow;
    }

    /** Results let in and not settled. */
    int openResults() {
        return results.get();
    }

    @Override
    public boolean admit(Arriving arriving) {
        if (results.get() >= maxResults) {
            refuse(arriving, "too many results at once: " + maxResults, true);
            return false;
        }
        Opening opening = incarnations.open(arriving.id(), by -> supersede(arriving, by.attempt()));
        if (opening instanceof Opening.Fresh fresh) {
            return open(arriving, fresh);
        }
        if (opening instanceof Opening.Recorded recorded) {
            arriving.settle(recorded.fate(), null);
        } else if (opening instanceof Opening.Stale stale) {
            supersede(arriving, stale.instead());
        } else if (opening instanceof Opening.Running running
                && !running.whenEnded(fate -> arriving.settle(fate, null))) {
            refuse(arriving, "the same attempt is open, and too many ask for its fate", true);
        }
        return false;
    }

    private boolean open(Arriving arriving, Opening.Fresh fresh) {
        try {
            JobAccounts.Account account = jobs.open(arriving.id(), arriving.declaredBytes());
            results.incrementAndGet();
            counters.resultOpened();
            arriving.admitted(account, new Entry(arriving, fresh, account));
            if (arriving.settled() != null) {
                account.refund(); // superseded in this very moment
            }
            return true;
        } catch (ResultTooLargeException e) {
            ResultFate fate = new ResultFate(Verdict.REFUSED, String.valueOf(e.getMessage()), false);
            fresh.settle(fate);
            arriving.settle(fate, e);
            return false;
        }
    }

    private static void refuse(Arriving arriving, String reason, boolean retriable) {
        ResultFate fate = new ResultFate(Verdict.REFUSED, reason, retriable);
        arriving.settle(fate, new UndeliveredResultException(fate, 0, arriving.id(), null));
    }

    private void supersede(Arriving arriving, int by) {
        ResultFate fate = new ResultFate(Verdict.SUPERSEDED, "attempt " + by + " counts instead", false);
        arriving.settle(fate, new UndeliveredResultException(fate, arriving.arrivedBytes(), arriving.id(), null));
        if (arriving.attachment() instanceof Entry entry) {
            entry.account.refund(); // whenever its handler learns of it
            endUnused(entry);
        }
    }

    @Override
    public void decode(Arriving arriving) {
        Entry entry = (Entry) Objects.requireNonNull(arriving.attachment(), "it was let in");
        entry.queuedAt = System.nanoTime();
        line.add(entry);
        employ();
    }

    private void employ() {
        int now = decoders.get();
        while (now < maxDecoders && !decoders.compareAndSet(now, now + 1)) {
            now = decoders.get();
        }
        if (now < maxDecoders) {
            try {
                executor.execute(this::work);
            } catch (RejectedExecutionException e) {
                if (decoders.decrementAndGet() > 0) {
                    return; // those that run take the rest, one behind another
                }
                for (Entry entry = line.poll(); entry != null; entry = line.poll()) {
                    end(entry, new ResultFate(Verdict.REFUSED, "the receiver's decoding executor has ended", true), e);
                }
            }
        }
    }

    private void work() {
        DecodingLane lane = new DecodingLane(reading);
        try {
            Entry entry = line.poll();
            while (entry != null) {
                lane = receive(entry, lane);
                // An interrupt was the handler's, or the executor's: another task goes on, if that is to be.
                entry = Thread.currentThread().isInterrupted() ? null : line.poll();
            }
        } finally {
            lane.close();
            decoders.decrementAndGet();
            if (!line.isEmpty()) {
                employ();
            }
        }
    }

    /** Returns the lane for the next one: a published result keeps its own. */
    private DecodingLane receive(Entry entry, DecodingLane lane) {
        Arriving arriving = entry.arriving;
        ArrivingResult result = null;
        entry.decoderNanos = System.nanoTime() - entry.queuedAt;
        try {
            ResultReader reader = lane.enter(arriving);
            arriving.start(); // behind the reader's reserve, of which credit may take what is left of the budget
            result = new ArrivingResult(
                    arriving, reader, entry.decoderNanos, cause -> end(entry, cause), reason -> cancel(entry, reason));
            handler.receive(result);
            if (result.isPublished()) {
                result.give();
                entry.given = result;
                if (arriving.settled() != null) {
                    endUnused(entry);
                }
                return new DecodingLane(reading); // its publisher closes the reader, on whichever thread that runs
            }
            result.readToEnd();
            result.leave();
            arriving.close();
            end(entry, null);
            result.tellFuture(null);
            return lane;
        } catch (Throwable e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            fail(entry, result, lane, e);
            return new DecodingLane(reading);
        }
    }

    private void fail(Entry entry, @Nullable ArrivingResult result, DecodingLane lane, Throwable cause) {
        try {
            if (result != null && result.isPublished()) {
                result.give();
                result.closeUnsubscribed(); // else its reader is in other hands, which the ending reaches
            } else {
                if (result != null) {
                    result.leave();
                }
                lane.close();
                entry.arriving.close();
            }
        } finally {
            end(entry, cause);
            if (result != null) {
                result.tellFuture(cause);
            }
        }
    }

    /** One that was given away, of which nobody has made use, ends when it is settled; of another its reader is told. */
    private void endUnused(Entry entry) {
        ArrivingResult given = entry.given;
        if (given != null && given.closeUnsubscribed()) {
            end(entry, null);
        }
    }

    /** What was recorded of it first is what its sender is told. */
    private void cancel(Entry entry, String reason) {
        Arriving arriving = entry.arriving;
        ResultFate fate = new ResultFate(Verdict.CANCELLED, reason, false);
        if (entry.opening.settle(fate)) {
            arriving.settle(
                    fate,
                    new ResultCancelledException("cancelled here: " + reason, arriving.arrivedBytes(), arriving.id()));
            endUnused(entry);
        }
    }

    private static ResultFate fate(@Nullable Throwable thrown) {
        if (thrown == null) {
            return ACCEPTED;
        }
        String reason = String.valueOf(thrown.getMessage());
        if (thrown instanceof CancellationException) {
            return new ResultFate(Verdict.CANCELLED, reason, false);
        }
        if (thrown instanceof TruncatedResultException lost) {
            return new ResultFate(Verdict.LOST, reason, lost.retriable());
        }
        if (thrown instanceof ResultFailedException failed) {
            return new ResultFate(Verdict.REFUSED, "the sender failed: " + reason, failed.retriable());
        }
        boolean retriable = thrown instanceof ResultException known ? known.retriable() : thrown instanceof IOException;
        return new ResultFate(Verdict.REFUSED, thrown.getClass().getName() + ": " + reason, retriable);
    }

    /** Tells what has become of a result, once. */
    private void end(Entry entry, @Nullable Throwable thrown) {
        ResultFate settled = entry.arriving.settled(); // here already, by a cancel or a limit
        end(entry, settled == null ? fate(thrown) : settled, thrown);
    }

    private void end(Entry entry, ResultFate fate, @Nullable Throwable thrown) {
        if (!entry.ended.compareAndSet(false, true)) {
            return;
        }
        Arriving arriving = entry.arriving;
        boolean counts = entry.opening.settle(fate);
        if (counts && fate.verdict() == Verdict.ACCEPTED) {
            entry.account.keep();
        } else {
            entry.account.refund();
        }
        results.decrementAndGet();
        if (counts && thrown == null && !line.isEmpty()) {
            arriving.settleAmongMany(fate);
        } else if (counts) {
            arriving.settle(fate, thrown == null ? null : new IOException("the result has ended", thrown));
        }
        note(entry);
        if (thrown != null && !(thrown instanceof ResultException)) {
            LOG.log(Level.DEBUG, "a handler failed on result " + arriving.id(), thrown);
        }
    }

    private void note(Entry entry) {
        Arriving arriving = entry.arriving;
        ResultFate settled = arriving.settled(); // null where another attempt has come before and is about to say so
        ResultFate known = settled == null ? new ResultFate(Verdict.SUPERSEDED, "", false) : settled;
        counters.resultEnded(known, arriving.arrivedBytes());
        counters.stalled(StallCause.DECODER, entry.decoderNanos);
        counters.stalled(StallCause.BYTES, arriving.waitedNanos());
        long spilled = arriving.spilledBytes();
        if (spilled > 0) {
            counters.spilled();
        }
        ResultEvent event = entry.event;
        if (event != null) {
            event.stalled(StallCause.DECODER, entry.decoderNanos);
            event.stalled(StallCause.BYTES, arriving.waitedNanos());
            event.end(known, arriving.arrivedBytes(), spilled);
        }
    }

    @Override
    public void lost(Arriving arriving) {
        // Whoever decodes it, now or later, is told by its reader.
    }

    /** At least two or none: of one chunk that is begun, what is left is no use to a frame that does not fit it. */
    @Override
    public int takeShare(int chunks) {
        int now = share.get();
        int taken = Math.min(now, chunks);
        while (taken >= LEAST_SHARE && !share.compareAndSet(now, now - taken)) {
            now = share.get();
            taken = Math.min(now, chunks);
        }
        return taken < LEAST_SHARE ? 0 : taken;
    }

    @Override
    public void giveShare(int chunks) {
        share.addAndGet(chunks);
    }
}
