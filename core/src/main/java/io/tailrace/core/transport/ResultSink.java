// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.mux.Outgoing;
import io.tailrace.core.mux.Sender;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One result's place on a shared connection. It never waits for the network: chunks that cannot go yet wait in the
 * connection, and the result's window is what its encoder waits for. Where the result has gone to disk, its encoding thread
 * waits for that.
 *
 * <p><b>Ownership.</b> Chunks are retained for as long as the connection has them, except those of small results, which are
 * copied into shared ones.
 *
 * <p><b>Threads.</b> The result's encoding thread; any thread asks for the fate, and cancels. Of a cancel and of the end of a
 * completion the first decides: what was cancelled before is abandoned, and what is completed is not.
 */
final class ResultSink implements FrameSink {

    private enum Stage {
        WRITING,
        COMPLETING,
        CANCELLED,
        COMPLETED
    }

    private static final ResultFate CANCELLED = new ResultFate(Verdict.CANCELLED, "cancelled", false);

    private final Sender sender;
    private final ResultId id;
    private final long declared;
    private final boolean awaitsFate;
    private final long admissionNanos;
    private final Counters counters;
    private final @Nullable ResultEvent event;
    private final CompletableFuture<ResultFate> fate = new CompletableFuture<>();
    private volatile @Nullable Outgoing outgoing;
    private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.WRITING);

    /** Completed behind the fate, when it has been counted. */
    private CompletableFuture<Void> noted = new CompletableFuture<>();

    /** @param admissionNanos how long there was no connection for it */
    ResultSink(Sender sender, Counters counters, ResultId id, long declared, boolean awaitsFate, long admissionNanos) {
        this.admissionNanos = admissionNanos;
        this.sender = sender;
        this.counters = counters;
        this.event = ResultEvent.begin("sent", id);
        this.id = id;
        this.declared = declared;
        this.awaitsFate = awaitsFate;
    }

    /** What becomes of the result. */
    CompletableFuture<ResultFate> fate() {
        return fate;
    }

    @Override
    public void write(FrameBatch batch) throws IOException {
        try {
            offerAll(batch);
        } catch (UndeliveredResultException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            Outgoing given = outgoing;
            if (given != null) {
                given.abandon(new ResultFate(Verdict.LOST, "it could not be sent: " + e, true));
            }
            throw e;
        }
    }

    private void offerAll(FrameBatch batch) throws IOException {
        Outgoing result = outgoing;
        for (int i = 0; i < batch.size(); i++) {
            Chunk chunk = batch.get(i);
            boolean first = result == null;
            if (result == null) {
                result = open(chunk);
            }
            boolean whole = first && batch.size() == 1 && endsHere(chunk) && result.offerWhole(chunk);
            if (!whole && !result.offer(chunk) && !accepted(result)) {
                throw undelivered(result);
            }
        }
    }

    /** A replay of one that was accepted before: the receiver wants no more of it, and its task has succeeded. */
    private static boolean accepted(Outgoing result) {
        ResultFate known = result.settled();
        return known != null && known.verdict() == Verdict.ACCEPTED;
    }

    private Outgoing open(Chunk chunk) {
        long stream = FrameHeader.streamId(chunk.array(), chunk.arrayOffset() + chunk.readerIndex());
        Outgoing opened = sender.open(stream, id, declared, fate);
        counters.resultOpened();
        ChunkWindow window = chunk.window();
        noted = fate.thenAccept(known -> ended(opened, window, known));
        outgoing = opened;
        return opened;
    }

    private void ended(Outgoing result, @Nullable ChunkWindow window, ResultFate known) {
        counters.resultEnded(known, result.sentBytes());
        tellStalls(result, window, counters::stalled);
        if (result.spilled()) {
            counters.spilled();
        }
        ResultEvent told = event;
        if (told != null) {
            tellStalls(result, window, told::stalled);
            told.end(known, result.sentBytes(), result.spilledBytes());
        }
    }

    private void tellStalls(Outgoing result, @Nullable ChunkWindow window, ObjLongConsumer<StallCause> told) {
        told.accept(StallCause.ADMISSION, admissionNanos);
        told.accept(StallCause.POOL, window == null ? 0 : window.budgetStallNanos());
        told.accept(StallCause.WINDOW, result.roomStallNanos() + (window == null ? 0 : window.windowStallNanos()));
        told.accept(StallCause.CREDIT, result.creditStallNanos());
        told.accept(StallCause.LINK, result.linkStallNanos());
        told.accept(StallCause.DISK, result.diskStallNanos());
        told.accept(StallCause.ACKNOWLEDGEMENT, result.acknowledgementStallNanos());
    }

    private static boolean endsHere(Chunk chunk) {
        if (chunk.bodyBytes() > 0) {
            return false;
        }
        FrameKind kind = FrameKind.UNKNOWN;
        int base = chunk.arrayOffset();
        int frame = chunk.readerIndex();
        while (frame < chunk.writerIndex()) {
            kind = FrameHeader.kind(chunk.array(), base + frame);
            frame += FrameLayout.HEADER_LENGTH + FrameHeader.wireLength(chunk.array(), base + frame);
        }
        return kind == FrameKind.END;
    }

    /** The connection's loop is the sending thread. */
    @Override
    public boolean waits() {
        return false;
    }

    @Override
    public void complete() throws IOException {
        Outgoing result = outgoing;
        if (!awaitsFate || result == null) {
            return;
        }
        @Nullable ResultFate known;
        if (!stage.compareAndSet(Stage.WRITING, Stage.COMPLETING)) {
            result.abandon(CANCELLED);
        }
        try {
            CompletableFuture.anyOf(noted, result.stored()).get();
            if (!stage.compareAndSet(Stage.COMPLETING, Stage.COMPLETED)) {
                noted.get(); // it was cancelled, unless its fate came first
            }
            known = fate.getNow(null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the receiver's acknowledgement");
        } catch (ExecutionException e) {
            throw new IOException("a result's fate is not known", e);
        }
        if (known != null && known.verdict() != Verdict.ACCEPTED) {
            throw undelivered(result);
        }
    }

    /** What is out of it, or gathered with others, may be accepted all the same. */
    @Override
    public void cancel() {
        Outgoing result = outgoing;
        if (!stage.compareAndSet(Stage.WRITING, Stage.CANCELLED)
                && stage.compareAndSet(Stage.COMPLETING, Stage.CANCELLED)
                && result != null) {
            result.abandon(CANCELLED);
        }
    }

    private UndeliveredResultException undelivered(Outgoing result) {
        ResultFate known = result.settled();
        if (known == null) {
            throw new IllegalStateException("the result is not settled");
        }
        return new UndeliveredResultException(known, result.sentBytes(), id, null);
    }

    /** The connection stays. A result that has not ended is given up by its writer. */
    @Override
    public void close() {}
}
