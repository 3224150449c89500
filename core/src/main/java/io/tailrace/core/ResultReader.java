// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameAssembler.Progress;
import io.tailrace.core.frame.Gulps;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Iterator;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * Reads the results of one file or connection, one after another, while their frames arrive.
 *
 * <pre>{@code
 * while (reader.nextResult()) {
 *     T value = codec.decode(reader.payload());
 *     ResultSummary summary = reader.finish();   // until here, nothing is certain
 * }
 * }</pre>
 *
 * <p>Values are handed out as soon as their bytes are verified; only {@link #finish} says that the result is complete.
 * A result that fails throws where it is read; {@link #nextResult} then goes on behind it, unless framing was lost.
 *
 * <p><b>Ownership.</b> Buffers are this object's; the channel is the caller's, who closes it afterwards, unless it is
 * {@linkplain Builder#readingOn read ahead}: then it is closed with this reader.
 *
 * <p><b>Threads.</b> The decoding thread alone, which also reads the channel, unless that is read ahead. Any thread reads
 * {@link #liveBytes} and {@link #peakLiveBytes}.
 */
public final class ResultReader implements AutoCloseable {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final ReaderSettings settings;

    /** The trailer's limit stands in the payload's place: the most that comes to its input. */
    private final DecoderLimits trailerLimits;

    private final Gulps gulps;
    private final @Nullable ReadAhead ahead;
    private ByteBuffer gulp = NOTHING;
    private final ReaderEvents events = new ReaderEvents();
    private final ResultDecoder decoder;
    private WireInput payload;
    private WireInput trailer;

    /** Counts what {@link #nextResult} was asked for, so that inputs of an earlier result read nothing of a later one. */
    private long results;

    private ResultReader(ReaderSettings settings, Gulps gulps, @Nullable ReadAhead ahead, ChunkWindow window) {
        this.settings = settings;
        this.trailerLimits =
                settings.limits().withPayloadBytes(settings.limits().trailerBytes());
        this.gulps = gulps;
        this.ahead = ahead;
        this.decoder = new ResultDecoder(settings, events, new Pulled(gulps, ahead), window);
        this.payload = new WireInput(drained -> null, settings.limits(), null);
        this.trailer = payload;
    }

    public static Builder builder(ChunkPool pool) {
        return new Builder(pool);
    }

    /**
     * Goes to the next result, skipping what was not read of the one before.
     *
     * @return false at the clean end of the stream
     * @throws ResultException when the stream is cut or is not ours, and for frames that belong to no result: those are
     *     skipped, and another call goes on
     */
    public boolean nextResult() throws IOException {
        while (events.open) {
            skip();
        }
        long result = ++results;
        events.forget();
        while (!events.open) {
            if (!advance()) {
                return false;
            }
            if (events.failure != null && !events.open) {
                ResultException failure = events.failure;
                events.failure = null;
                throw failure;
            }
        }
        payload = new WireInput(drained -> nextPayload(drained, result), settings.limits(), events.id);
        trailer = new WireInput(drained -> nextTrailer(drained, result), trailerLimits, events.id);
        return true;
    }

    /** Who the current result is. */
    public ResultId id() {
        return requireResult();
    }

    /** Which codec's bytes its payload is. */
    public String codecId() {
        requireResult();
        return events.codecId;
    }

    /** The current result's payload, verified frame by frame. */
    public WireInput payload() {
        requireResult();
        return payload;
    }

    /**
     * Reads the current result's payload, or its rest, as a value; {@link #finish} tells whether it is complete.
     *
     * @throws MalformedDataException before anything is read when the payload is another codec's
     */
    public <T> T decode(ValueCodec<T> codec) throws IOException {
        ResultId id = requireResult();
        if (!codec.reads(events.codecId)) {
            throw new MalformedDataException(
                    "payload of codec " + events.codecId + " asked for as " + codec.id(), payload.position(), id);
        }
        return codec.decode(payload);
    }

    /**
     * Gives this reader to a publisher of the current result's elements, for one subscriber. They are decoded by tasks of the
     * executor, one at a time, which wait for frames: no element is decoded that was not asked for, and no task runs while none
     * is. It completes when the result is complete, fails with what {@link #finish} would throw, and in any case closes this
     * reader before it says so. A cancel is obeyed at the next element; who wants it sooner closes the channel too. One that
     * nobody subscribes to is this reader's caller's to close.
     */
    public <E> Flow.Publisher<E> publish(ValueCodec<? extends Iterator<E>> codec, Executor executor) {
        requireResult();
        return new ElementPublisher<>(this, codec, executor);
    }

    /** The current result's trailer; what was not read of the payload is verified and skipped. */
    public WireInput trailer() throws IOException {
        requireResult();
        while (!payload.exhausted()) {
            payload.commit(payload.limit());
        }
        return trailer;
    }

    /**
     * Reads the current result to its end, skipping what was not read.
     *
     * @return the summary of a result that is complete: totals and digest of its end frame agree with what came
     * @throws io.tailrace.core.wire.ResultFailedException what the sender said
     * @throws io.tailrace.core.wire.TruncatedResultException when the stream ended first
     * @throws io.tailrace.core.wire.MalformedDataException when it breaks the format
     */
    public ResultSummary finish() throws IOException {
        requireResult();
        while (events.summary == null) {
            events.throwFailure();
            releasePending();
            if (!advance()) {
                throw new IllegalStateException("the stream ended cleanly inside a result");
            }
        }
        releasePending();
        return events.summary;
    }

    /** Bytes of this stream's chunks now live, by capacity: at most the window. */
    public long liveBytes() {
        return decoder.liveBytes();
    }

    /** The most that were live; where a thread reads ahead, its most and the decoder's, which need not have been at once. */
    public long peakLiveBytes() {
        return decoder.peakLiveBytes();
    }

    /** Bytes this reader holds outside the pool. */
    public long outsideBytes() {
        return gulps.outsideBytes();
    }

    /** Releases all; the rest of the stream is not read. */
    @Override
    public void close() {
        releasePending();
        decoder.close();
        events.releaseBuffers();
        gulps.giveBack();
        if (ahead != null) {
            ahead.close();
        }
    }

    private void skip() throws IOException {
        releasePending();
        try {
            advance();
        } catch (ResultException e) {
            if (events.failure == null) {
                throw e;
            }
        }
    }

    private void releasePending() {
        ReaderEvents.release(payload.take());
        ReaderEvents.release(trailer.take());
        events.releaseBuffers();
    }

    private @Nullable ByteBuf nextPayload(@Nullable ByteBuf drained, long result) throws IOException {
        ReaderEvents.release(drained);
        requireCurrent(result);
        while (events.payload == null) {
            events.throwFailure();
            if (events.trailer != null || events.summary != null || !advance()) {
                return null;
            }
        }
        return events.takePayload();
    }

    private @Nullable ByteBuf nextTrailer(@Nullable ByteBuf drained, long result) throws IOException {
        ReaderEvents.release(drained);
        requireCurrent(result);
        while (events.trailer == null) {
            events.throwFailure();
            if (events.summary != null || !advance()) {
                return null;
            }
        }
        return events.takeTrailer();
    }

    /** Decodes one frame more, reading as needed; false at the clean end of the stream. */
    private boolean advance() throws IOException {
        while (decoder.step(gulp) != Progress.FRAME) {
            gulp = NOTHING; // what it was is used up, and may be another's once it is given back
            ByteBuffer next = gulps.next();
            if (next == null) {
                decoder.endOfInput();
                return false;
            }
            gulp = next;
        }
        return true;
    }

    private void requireCurrent(long result) {
        if (result != results) {
            throw new IllegalStateException("the reader has gone on to another result");
        }
    }

    private ResultId requireResult() {
        ResultId id = events.id;
        if (id == null) {
            throw new IllegalStateException("there is no current result");
        }
        return id;
    }

    /** Waits for chunks. */
    private record Pulled(Gulps gulps, @Nullable ReadAhead readAhead) implements ResultDecoder.ChunkSource {

        @Override
        public Chunk acquire(ChunkWindow window) throws IOException {
            return window.acquire();
        }

        @Override
        public boolean bytesLast() {
            return gulps.lasting();
        }

        @Override
        public @Nullable ChunkWindow ahead() {
            return readAhead == null ? null : readAhead.window();
        }

        @Override
        public long outsideBytes() {
            return gulps.outsideBytes();
        }
    }

    /** Settings of a reader or a decoder. */
    public static final class Builder {
        private final ChunkPool pool;
        private int window = 4;
        private DecoderLimits limits = DecoderLimits.DEFAULT;
        private @Nullable BlockCompression compression;
        private @Nullable Executor readingOn;

        private Builder(ChunkPool pool) {
            this.pool = pool;
        }

        /**
         * Most chunks live on this side; the default is 4. Decoding in pull needs 1, or 2 with compression; reading
         * ahead needs 1 more.
         */
        public Builder window(int chunks) {
            window = chunks;
            return this;
        }

        public Builder limits(DecoderLimits most) {
            limits = most;
            return this;
        }

        /** What expands compressed frames; results that declare another are refused when they open. */
        public Builder compression(@Nullable BlockCompression blocks) {
            compression = blocks;
            return this;
        }

        /**
         * The threaded mode: a task of this executor, which must run it at once, beside the decoding thread, reads the
         * channel ahead, into as many chunks as the window has beyond what decoding needs. The reader then owns the
         * channel and closes it, as what was read ahead is lost to others. Null, the default, reads on the decoding
         * thread.
         */
        public Builder readingOn(@Nullable Executor executor) {
            readingOn = executor;
            return this;
        }

        /**
         * Reads from a channel in blocking mode, or from that of a {@link io.tailrace.core.sink.NettySource}, which
         * needs no thread to read ahead.
         *
         * @throws IllegalArgumentException for a window below what {@link #window} says is needed
         * @throws io.tailrace.core.wire.BudgetExhaustedException when the reserve cannot be had in time
         * @throws java.io.InterruptedIOException when interrupted while waiting for it; the flag is kept
         * @throws IOException when the executor refuses to read ahead; the channel is still its owner's
         */
        public ResultReader open(ReadableByteChannel channel) throws IOException {
            if (channel instanceof Gulps lender) {
                return open(0, !lender.whole(), (settings, opened) -> new ResultReader(settings, lender, null, opened));
            }
            Executor executor = readingOn;
            return executor == null
                    ? open(
                            0,
                            true,
                            (settings, opened) -> new ResultReader(settings, new ChannelGulps(channel), null, opened))
                    : open(1, true, (settings, opened) -> readAhead(settings, opened, channel, executor));
        }

        /**
         * Reads what is in memory already, an array or a mapped file, from position to limit, which stay. It must not change
         * until the reader is closed: what an array holds uncompressed is read where it is, without a chunk. Nothing is read
         * ahead.
         *
         * @throws IllegalArgumentException as {@link #open(ReadableByteChannel)} does, as all else that it throws
         */
        public ResultReader open(ByteBuffer frames) throws IOException {
            return open(
                    0, true, (settings, opened) -> new ResultReader(settings, new MemoryGulps(frames), null, opened));
        }

        private interface Opening {
            ResultReader of(ReaderSettings settings, ChunkWindow opened) throws IOException;
        }

        private ResultReader open(int aheadReserve, boolean assembles, Opening opening) throws IOException {
            ReaderSettings settings = settings(aheadReserve, assembles);
            ChunkWindow opened = settings.pool().open("a reader", settings.window(), settings.reserve());
            try {
                return opening.of(settings, opened);
            } catch (Throwable e) {
                opened.close();
                throw e;
            }
        }

        private static ResultReader readAhead(
                ReaderSettings settings, ChunkWindow opened, ReadableByteChannel channel, Executor executor)
                throws IOException {
            ReadAhead ahead = ReadAhead.of(settings, channel, opened);
            try {
                ahead.begin(executor);
                return new ResultReader(settings, ahead, ahead, opened);
            } catch (Throwable e) {
                ahead.abandon();
                throw e;
            }
        }

        /**
         * Makes a decoder that bytes are pushed to. This never waits: a decoder whose reserve is not free yet accepts
         * nothing until it is.
         *
         * @param available runs once after {@link ResultDecoder#accept(ByteBuffer)} has returned false, as soon as
         *     another try is worth it; on the thread that releases the chunk, so it must only hand over. Accept is done
         *     with its bytes by then
         * @throws IllegalArgumentException for a window below what {@link #window} says is needed
         */
        public ResultDecoder decoder(ResultListener listener, Runnable available) {
            ReaderSettings settings = settings(0, true);
            ChunkWindow opened = settings.pool().openWithoutWaiting("a decoder", settings.window(), settings.reserve());
            return new ResultDecoder(settings, listener, new CalledBack(available), opened);
        }

        private ReaderSettings settings(int aheadReserve, boolean assembles) {
            ReaderSettings settings = new ReaderSettings(pool, window, aheadReserve, assembles, limits, compression);
            if (window < settings.reserve()) {
                throw new IllegalArgumentException(
                        "a window of " + window + " chunks is below the reserve of " + settings.reserve());
            }
            return settings;
        }
    }
}
