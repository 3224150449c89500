// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameAssembler.Progress;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
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
 * <p><b>Ownership.</b> Buffers are this object's; the channel is the caller's, who closes it afterwards.
 *
 * <p><b>Threads.</b> The decoding thread alone, which also reads the channel.
 */
public final class ResultReader implements AutoCloseable {

    private static final int GULP = 128 << 10;

    private final ReaderSettings settings;
    private final ReadableByteChannel channel;
    private final ByteBuffer gulp;
    private final Events events = new Events();
    private final ResultDecoder decoder;
    private WireInput payload;
    private WireInput trailer;

    private ResultReader(ReaderSettings settings, ReadableByteChannel channel) throws IOException {
        this.settings = settings;
        this.channel = channel;
        this.decoder = new ResultDecoder(settings, events, ChunkWindow::acquire);
        this.gulp = allocate(decoder);
        this.payload = new WireInput(drained -> null, settings.limits(), null);
        this.trailer = payload;
    }

    /** Direct, so that the JDK copies nothing between the kernel and it; the one copy is into the chunk. */
    private static ByteBuffer allocate(ResultDecoder decoder) throws BudgetExhaustedException {
        try {
            return ByteBuffer.allocateDirect(GULP).limit(0);
        } catch (OutOfMemoryError e) {
            decoder.close();
            BudgetExhaustedException told =
                    new BudgetExhaustedException("no direct memory to read with", GULP, ResultException.NONE);
            told.initCause(e);
            throw told;
        }
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
        payload = new WireInput(this::nextPayload, settings.limits(), events.id);
        trailer = new WireInput(this::nextTrailer, settings.limits(), events.id);
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

    /** Bytes this reader holds outside the pool. */
    public long outsideBytes() {
        return gulp.capacity();
    }

    /** Releases all; the rest of the stream is not read. */
    @Override
    public void close() {
        releasePending();
        decoder.close();
        events.releaseBuffers();
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
        release(payload.take());
        release(trailer.take());
        events.releaseBuffers();
    }

    private static void release(@Nullable ByteBuf buffer) {
        if (buffer != null) {
            buffer.release();
        }
    }

    private @Nullable ByteBuf nextPayload(@Nullable ByteBuf drained) throws IOException {
        release(drained);
        while (events.payload == null) {
            events.throwFailure();
            if (events.trailer != null || events.summary != null || !advance()) {
                return null;
            }
        }
        ByteBuf next = events.payload;
        events.payload = null;
        return next;
    }

    private @Nullable ByteBuf nextTrailer(@Nullable ByteBuf drained) throws IOException {
        release(drained);
        while (events.trailer == null) {
            events.throwFailure();
            if (events.summary != null || !advance()) {
                return null;
            }
        }
        ByteBuf next = events.trailer;
        events.trailer = null;
        return next;
    }

    /** Decodes one frame more, reading as needed; false at the clean end of the stream. */
    private boolean advance() throws IOException {
        while (decoder.step(gulp) != Progress.FRAME) {
            gulp.clear();
            int read = 0;
            try {
                read = channel.read(gulp);
            } finally {
                gulp.flip();
            }
            if (read < 0) {
                decoder.endOfInput();
                return false;
            }
        }
        return true;
    }

    private ResultId requireResult() {
        ResultId id = events.id;
        if (id == null) {
            throw new IllegalStateException("there is no current result");
        }
        return id;
    }

    /** What the decoder told last: at most one frame's worth, as it is stepped frame by frame. */
    private static final class Events implements ResultListener {
        private boolean open;
        private @Nullable ResultId id;
        private String codecId = "";
        private @Nullable ByteBuf payload;
        private @Nullable ByteBuf trailer;
        private @Nullable ResultSummary summary;
        private @Nullable ResultException failure;

        @Override
        public void onOpen(ResultId result, String codec) {
            forget();
            open = true;
            id = result;
            codecId = codec;
        }

        @Override
        public void onPayload(ByteBuf bytes) {
            payload = bytes.retain();
        }

        @Override
        public void onTrailer(ByteBuf bytes) {
            trailer = bytes.retain();
        }

        @Override
        public void onEnd(ResultSummary ended) {
            open = false;
            summary = ended;
        }

        @Override
        public void onFailure(@Nullable ResultId result, ResultException reason) {
            open = false;
            failure = reason;
        }

        void forget() {
            open = false;
            id = null;
            summary = null;
            failure = null;
        }

        void throwFailure() throws ResultException {
            if (failure != null) {
                throw failure;
            }
        }

        void releaseBuffers() {
            ByteBuf held = payload;
            payload = null;
            release(held);
            held = trailer;
            trailer = null;
            release(held);
        }
    }

    /** Settings of a reader or a decoder. */
    public static final class Builder {
        private final ChunkPool pool;
        private int window = 4;
        private DecoderLimits limits = DecoderLimits.DEFAULT;
        private @Nullable BlockCompression compression;

        private Builder(ChunkPool pool) {
            this.pool = pool;
        }

        /** Most chunks live on this side; the default is 4. Reading in pull needs 1, or 2 with compression. */
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

        /** Reads from a channel in blocking mode. */
        public ResultReader open(ReadableByteChannel channel) throws IOException {
            return new ResultReader(settings(), channel);
        }

        /**
         * Makes a decoder that bytes are pushed to.
         *
         * @param available runs once after {@link ResultDecoder#accept(ByteBuffer)} has returned false, as soon as
         *     another try is worth it; on the thread that releases the chunk, so it must only hand over
         */
        public ResultDecoder decoder(ResultListener listener, Runnable available) throws IOException {
            return new ResultDecoder(settings(), listener, window -> window.tryAcquire(available));
        }

        private ReaderSettings settings() {
            ReaderSettings settings = new ReaderSettings(pool, window, limits, compression);
            if (window < settings.reserve()) {
                throw new IllegalArgumentException(
                        "a window of " + window + " chunks is below the reserve of " + settings.reserve());
            }
            return settings;
        }
    }
}
