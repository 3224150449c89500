// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.UndeliveredResultException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One result on its way out: its payload is written, then its trailer, then it ends in exactly one of four ways.
 *
 * <ul>
 *   <li>{@link #finish} completes it: the end frame is out and the sink has it all.
 *   <li>{@link #fail} tells the peer why it will not be complete.
 *   <li>{@link #cancel}, from any thread, makes the next chunk that is sent, or waited for, throw
 *       {@link ResultCancelledException}; the peer is told.
 *   <li>{@link #close} releases all; if none of the others came before, it counts as a failure.
 * </ul>
 *
 * A limit that is crossed, a sink that throws and an interrupt fail the result where they happen; what is written
 * afterwards throws the same exception again.
 *
 * <p><b>Ownership.</b> All chunks of the result are this object's and its sending thread's; the window is closed with
 * it. The sink is the caller's, and closed by the caller, later.
 *
 * <p><b>Threads.</b> One encoding thread calls everything except {@link #cancel}, {@link #liveBytes} and
 * {@link #peakLiveBytes}. {@code cancelled} is written before the window is woken and read after it answered, so a cancel
 * is never taken for an interrupt.
 */
public final class ResultWriter implements AutoCloseable {

    private final EncoderSettings settings;
    private final OpenBody open;
    private final long streamId;
    private final ChunkWindow window;
    private final Delivery delivery;
    private final Sending sending;
    private final FrameWriter frames;
    private final WireOutput payload;
    private @Nullable WireOutput trailer;
    private volatile boolean cancelled;
    private boolean ended;

    /** Whether the ending is through. One that ran out of stack or heap on its way is taken up again by close. */
    private boolean released;

    private @Nullable IOException thrown;
    private @Nullable ResultFailure failure;

    ResultWriter(EncoderSettings settings, OpenBody open, long streamId, ChunkWindow window, FrameSink sink)
            throws IOException {
        this.settings = settings;
        this.open = open;
        this.streamId = streamId;
        this.window = window;
        this.delivery = new Delivery(sink, System.nanoTime());
        Executor executor = null;
        if (sink.waits()) {
            executor = settings.sendingOn();
        } else {
            window.wakeForHalf();
        }
        ThreadedSending threaded =
                executor == null ? null : new ThreadedSending(delivery, settings.window(), settings.linger());
        this.sending = threaded == null ? new SynchronousSending(delivery) : threaded;
        this.frames = new FrameWriter(settings, open.id(), window, new FrameSealer(streamId), sending, delivery);
        this.payload = new WireOutput(new Section(FrameKind.DATA), frames.tailRoom(), open.id());
        try {
            frames.open(open);
            if (threaded != null && executor != null) {
                threaded.start(executor); // last: a task that was started would wait for a result that never comes
            }
        } catch (RejectedExecutionException e) {
            frames.release();
            throw new ResultFailedException(Failures.describe(FailurePhase.SINK, e, 0, 0), open.id(), e);
        } catch (Throwable e) {
            frames.release();
            throw e;
        }
    }

    public ResultId id() {
        return open.id();
    }

    /** Where the value is written; until {@link #trailer} or an ending. */
    public WireOutput payload() {
        return payload;
    }

    /**
     * Where what is known only now is written, behind the payload, which is complete from here on.
     *
     * @throws io.tailrace.core.wire.ResultTooLargeException when the payload's last bytes cross a limit
     * @throws ResultCancelledException when the result was cancelled
     * @throws ResultFailedException when it has failed
     * @throws InterruptedIOException when interrupted; the result has failed
     * @throws IllegalStateException when it has ended
     */
    public WireOutput trailer() throws IOException {
        WireOutput begun = trailer;
        if (begun == null) {
            requireOpen();
            payload.take();
            attempt(FailurePhase.ENCODING, frames::beginTrailer);
            begun = new WireOutput(new Section(FrameKind.TRAILER), frames.tailRoom(), open.id());
            trailer = begun;
        }
        return begun;
    }

    /** What the peer is told of a result that has failed, whatever was thrown here; null while it is open or complete. */
    public @Nullable ResultFailure failure() {
        return failure;
    }

    /** Payload bytes written so far. */
    public long payloadBytes() {
        return payload.written();
    }

    /** Bytes of this result's chunks now live, by capacity: at most its window, also behind its end. */
    public long liveBytes() {
        return window.liveBytes();
    }

    /** The most that were live. */
    public long peakLiveBytes() {
        return window.peakLiveBytes();
    }

    /**
     * Completes the result: returns when its end frame is with the sink.
     *
     * @throws io.tailrace.core.wire.ResultTooLargeException when the last bytes, or the end frame, cross a limit
     * @throws ResultCancelledException when the result was cancelled; if while the last frames were sent, whether they
     *     arrived is unknown
     * @throws ResultFailedException when the sink failed, before or now
     * @throws UndeliveredResultException when the sink told what became of the result on the other side
     * @throws InterruptedIOException when interrupted while the last frames were sent; the same is unknown
     * @throws IllegalStateException when it has ended
     */
    public ResultSummary finish() throws IOException {
        requireOpen();
        takeRegion();
        FailurePhase phase = phase();
        attempt(phase, frames::end);
        try {
            sending.finish();
        } catch (IOException | RuntimeException | Error e) {
            throw end(phase, e);
        }
        ended = true;
        window.close();
        released = true;
        return summary();
    }

    /**
     * Ends the result with a failure and tells the peer; nothing when it has ended already. From within the sink, where
     * the result's chunks are in use, this and {@link #close} only {@link #cancel}.
     */
    public void fail(Throwable cause) {
        Objects.requireNonNull(cause, "cause");
        if (sending.within()) {
            cancel();
        } else if (!released) {
            end(phase(), cause);
        }
    }

    /**
     * Asks the result to stop; from any thread. The encoding thread ends it at its next chunk, finish or close; one that waits
     * for a chunk of its own, or for the other side's answer, at once.
     */
    public void cancel() {
        cancelled = true;
        window.interruptAcquire();
        sending.interrupt();
        delivery.cancel();
    }

    /** Releases all. A result that was neither finished nor failed fails here, and the peer is told. */
    @Override
    public void close() {
        if (sending.within()) {
            cancel();
        } else if (!released) {
            FailurePhase phase = cancelled ? FailurePhase.CANCELLED : FailurePhase.CLOSED;
            end(phase, new IllegalStateException("the result was closed without finish"));
        }
    }

    private FailurePhase phase() {
        return trailer == null ? FailurePhase.ENCODING : FailurePhase.TRAILER;
    }

    /** Ends the region being written, so that what was written there is known. */
    private void takeRegion() {
        payload.take();
        WireOutput begun = trailer;
        if (begun != null) {
            begun.take();
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    /** Runs a step of the machinery; whatever it throws ends the result. */
    private void attempt(FailurePhase phase, Step step) throws IOException {
        try {
            requireWanted();
            step.run();
        } catch (IOException | RuntimeException | Error e) {
            throw end(phase, e);
        }
    }

    /** Gives a region: the first one, or the one behind a full one. No object is made on this way. */
    private ByteBuf region(FailurePhase phase, boolean first) throws IOException {
        try {
            requireWanted();
            return first ? frames.beginFrame() : frames.nextFrame();
        } catch (StackOverflowError e) {
            if (first && frames.hasRoom()) {
                throw e; // the codec's own overflow: nothing has changed hands, nor is there stack to end on
            }
            throw end(phase, e);
        } catch (IOException | RuntimeException | Error e) {
            throw end(phase, e);
        }
    }

    /** A stop that was asked for is obeyed at every step, not only where the step happens to wait. */
    private void requireWanted() throws InterruptedIOException {
        if (cancelled) {
            throw new InterruptedIOException("cancelled");
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted");
        }
    }

    /** Ends the result once, for whatever reason, and returns what its encoding thread is to throw. */
    private IOException end(FailurePhase where, Throwable thrownHere) {
        FailurePhase writing = frames.compressing() ? FailurePhase.COMPRESSION : where;
        boolean bySink = thrownHere instanceof Delivery.SinkException;
        Throwable cause = thrownHere instanceof Delivery.SinkException sunk ? sunk.reason() : thrownHere;
        FailurePhase phase = bySink ? FailurePhase.SINK : Failures.phase(writing, cause);
        ended = true;
        takeRegion();
        frames.release();
        long written = payload.written();
        FailurePhase told = cancelled && (!bySink || isCancelled(cause)) ? FailurePhase.CANCELLED : phase;
        ResultFailure record =
                Failures.describe(told, cause, written, frames.totals().frames());
        try {
            sending.abort(begun -> farewell(record, begun));
        } finally {
            window.close();
        }
        released = true;
        IOException toThrow;
        if (told == FailurePhase.CANCELLED) {
            toThrow = new ResultCancelledException("cancelled", written, open.id());
        } else if (cause instanceof UndeliveredResultException undelivered) {
            toThrow = undelivered; // the other side's word, which the sink passes on
        } else if (!bySink && (cause instanceof ResultException || cause instanceof InterruptedIOException)) {
            toThrow = (IOException) cause;
        } else {
            toThrow = new ResultFailedException(record, open.id(), cause);
        }
        thrown = toThrow;
        failure = record;
        return toThrow;
    }

    private static boolean isCancelled(Throwable bySink) {
        return bySink instanceof UndeliveredResultException told && told.fate().verdict() == Verdict.CANCELLED;
    }

    /** The failure frame, in memory outside the pool; with an open frame in front if the peer has seen none. */
    private Chunk farewell(ResultFailure record, boolean begun) {
        int capacity = Math.min(settings.pool().chunkBytes(), FrameLayout.MAX_FAILURE_FRAME);
        Chunk chunk = Chunk.loose(capacity + FrameLayout.MIN_CHUNK_SIZE);
        FrameSealer sealer = new FrameSealer(streamId);
        if (begun) {
            sealer = frames.sealer();
        } else {
            sealer.appendOpen(chunk, open);
        }
        sealer.appendFailure(chunk, record, chunk.writerIndex() + capacity);
        return chunk;
    }

    private void requireOpen() throws IOException {
        if (thrown != null) {
            throw thrown;
        }
        if (ended) {
            throw new IllegalStateException("the result has ended");
        }
    }

    private ResultSummary summary() {
        return new ResultSummary(
                open.id(),
                open.codecId(),
                frames.totals().payloadBytes(),
                frames.totals().wireBytes(),
                frames.totals().trailerBytes(),
                frames.totals().frames(),
                delivery.firstPayloadNanos(),
                window.budgetStallNanos(),
                window.windowStallNanos(),
                delivery.sinkNanos(),
                frames.compressorNanos(),
                window.peakLiveBytes(),
                delivery.outsideBytes());
    }

    /** Gives regions to the payload's or to the trailer's output. */
    private final class Section implements WireOutput.Next {
        private final FrameKind kind;

        Section(FrameKind kind) {
            this.kind = kind;
        }

        @Override
        public ByteBuf next(@Nullable ByteBuf written) throws IOException {
            requireCurrent();
            return region(phase(), written == null);
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner)
                throws IOException {
            requireCurrent();
            FailurePhase phase = phase();
            try {
                requireWanted();
                int before = frames.beginReference();
                int at = body.position();
                while (frames.goesByReference(body.limit() - at)) {
                    at = frames.sendCut(body, at, before, owner);
                    before = 0;
                    requireWanted(); // a cancel is seen at the next cut
                }
                return frames.endReference(body, at);
            } catch (IOException | RuntimeException | Error e) {
                throw end(phase, e);
            }
        }

        @Override
        public void awaitSent() throws IOException {
            requireCurrent();
            attempt(phase(), frames::awaitSent);
        }

        @Override
        public boolean atHand() {
            return frames.hasRoom();
        }

        @Override
        public boolean takesByReference(int length) {
            return kind == FrameKind.DATA && frames.goesByReference(length);
        }

        private void requireCurrent() throws IOException {
            requireOpen();
            if (frames.kind() != kind) {
                throw new IllegalStateException(
                        kind == FrameKind.DATA ? "the payload is complete: its trailer has begun" : "no trailer yet");
            }
        }
    }
}
