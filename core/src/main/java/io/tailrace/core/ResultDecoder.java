// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FailureBody;
import io.tailrace.core.frame.FrameAssembler;
import io.tailrace.core.frame.FrameAssembler.Progress;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameOpener;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the bytes of one file or connection as they are pushed, in any pieces, to verified payload.
 *
 * <p>Memory is bounded by the window, whatever lengths are claimed. A frame that breaks the format fails its result
 * alone: the rest of that result is skipped by its verified headers. Where framing is lost the exception is also thrown
 * to the caller, and the stream is over.
 *
 * <p><b>Ownership.</b> Bytes given are copied. Buffers given to the listener are borrowed.
 *
 * <p><b>Threads.</b> One thread at a time, usually the connection's I/O thread: values are decoded elsewhere.
 */
public final class ResultDecoder implements AutoCloseable {

    private final ReaderSettings settings;
    private final ResultListener listener;
    private final ChunkWindow window;
    private final FrameAssembler assembler;
    private final ChunkSource chunks;
    private final EndedStreams endedStreams = new EndedStreams();

    private @Nullable FrameOpener current;
    private long openedAt;
    private long firstPayloadNanos;
    private boolean skipping;
    private long skippedStream;
    private boolean framePending;
    private @Nullable ResultException lost;

    /** How this decoder gets chunks: it waits, or asks to be called back. */
    interface ChunkSource {
        @Nullable
        Chunk acquire(ChunkWindow window) throws IOException;
    }

    ResultDecoder(ReaderSettings settings, ResultListener listener, ChunkSource chunks) throws IOException {
        this.settings = settings;
        this.listener = listener;
        this.chunks = chunks;
        this.window = settings.pool().open("a decoder", settings.window(), settings.reserve());
        this.assembler = new FrameAssembler(this::acquire, settings.pool().chunkBytes());
    }

    /**
     * Decodes as far as the bytes and the chunks go.
     *
     * @return true when all bytes are used; false when no chunk can be had now: the same bytes are to be given again
     *     once the callback that {@link ResultReader.Builder#decoder} was given has run
     * @throws ResultException when framing is lost; the open result has been failed with it
     */
    public boolean accept(ByteBuffer bytes) throws IOException {
        Progress progress = Progress.FRAME;
        while (progress == Progress.FRAME) {
            progress = step(bytes);
        }
        return progress == Progress.NEEDS_BYTES;
    }

    /** The same for a Netty buffer, whose reader index moves; it is not released. */
    public boolean accept(ByteBuf bytes) throws IOException {
        while (bytes.isReadable()) {
            ByteBuffer view = bytes.nioBuffer();
            boolean used = accept(view);
            bytes.skipBytes(bytes.readableBytes() - view.remaining());
            if (!used) {
                return false;
            }
        }
        return true;
    }

    /** The stream has ended: clean between results, a truncation of the open one otherwise. */
    public void endOfInput() throws ResultException {
        requireFraming();
        FrameOpener open = current;
        try {
            assembler.endOfInput();
            if (open != null) {
                throw new TruncatedResultException(
                        "the stream ends inside a result",
                        assembler.offset(),
                        open.open().id());
            }
        } catch (TruncatedResultException e) {
            throw lose(e);
        }
    }

    /** Gives up; an open result fails as truncated. */
    @Override
    public void close() {
        FrameOpener open = current;
        if (open != null) {
            ResultId id = open.open().id();
            fail(open.streamId(), new TruncatedResultException("the decoder was closed", assembler.offset(), id), true);
        }
        assembler.close();
        window.close();
    }

    /** Bytes used since the start of the stream. */
    long offset() {
        return assembler.offset();
    }

    ChunkWindow window() {
        return window;
    }

    /** Decodes at most one frame. */
    Progress step(ByteBuffer bytes) throws IOException {
        requireFraming();
        try {
            if (!framePending) {
                Progress progress = assembler.assemble(bytes);
                if (progress != Progress.FRAME) {
                    return progress;
                }
                framePending = true;
            }
            if (failedByForeignFrame()) {
                return Progress.FRAME; // one event a step: the frame itself is judged by the next
            }
            if (!takeFrame()) {
                return Progress.NEEDS_CHUNK;
            }
            framePending = false;
            return Progress.FRAME;
        } catch (MalformedDataException e) {
            throw lose(e);
        }
    }

    private boolean failedByForeignFrame() {
        FrameOpener open = current;
        long streamId = assembler.header().streamId();
        if (open == null || streamId == open.streamId() || (skipping && streamId == skippedStream)) {
            return false;
        }
        ResultId id = open.open().id();
        fail(open.streamId(), new MalformedDataException("foreign frame", assembler.frameOffset(), id), false);
        return true;
    }

    /** Judges the whole frame; false when it is to be judged again. Throws only where framing is lost. */
    private boolean takeFrame() throws IOException {
        FrameHeader header = assembler.header();
        if (skipping && header.streamId() == skippedStream) {
            skipping = !header.kind().terminal();
            return true;
        }
        try {
            FrameOpener open = current;
            if (open == null) {
                openResult(header);
                return true;
            }
            return takeFrame(open, header);
        } catch (ResultException e) {
            if (e instanceof MalformedDataException malformed && malformed.framingLost()) {
                throw e;
            }
            fail(header.streamId(), e, header.kind().terminal());
        }
        return true;
    }

    private void openResult(FrameHeader header) throws ResultException {
        long at = assembler.frameOffset();
        if (header.kind().ofConnection()) {
            throw MalformedDataException.framingLost(
                    "frame kind " + header.kind() + " is not of this version",
                    ResultException.NONE,
                    ResultException.NONE,
                    at,
                    null);
        }
        if (endedStreams.contains(header.streamId())) {
            String reason = header.kind() == FrameKind.OPEN ? "result opened twice" : "frame after the result's end";
            throw new MalformedDataException(reason, at);
        }
        if (header.kind() != FrameKind.OPEN) {
            throw new MalformedDataException("frame of a result that was not opened", at);
        }
        FrameOpener.verifyOpen(header, assembler.bodyIntact(), at);
        Chunk body = assembler.body();
        if (body == null) {
            throw new MalformedDataException("open frame is empty", at);
        }
        OpenBody open = OpenBody.parse(body);
        settings.verify(open, at);
        current = new FrameOpener(open, header, settings.limits(), settings.compression());
        openedAt = System.nanoTime();
        firstPayloadNanos = 0;
        call(open.id(), () -> listener.onOpen(open.id(), open.codecId()));
    }

    private boolean takeFrame(FrameOpener open, FrameHeader header) throws IOException {
        Chunk expanded = null;
        if (assembler.bodyIntact() && open.expandable(header)) {
            expanded = acquire();
            if (expanded == null) {
                return false;
            }
        }
        try {
            open.verify(header, assembler.bodyIntact(), assembler.frameOffset());
            Chunk body = assembler.body();
            if (expanded != null && body != null) {
                open.expand(header, body, expanded);
                body = expanded;
            }
            deliver(open, header.kind(), body);
        } finally {
            if (expanded != null) {
                expanded.release();
            }
        }
        return true;
    }

    private void deliver(FrameOpener open, FrameKind kind, @Nullable Chunk body) throws ResultException {
        ResultId id = open.open().id();
        switch (kind) {
            case DATA -> {
                if (firstPayloadNanos == 0) {
                    firstPayloadNanos = System.nanoTime() - openedAt;
                }
                handOut(id, body, listener::onPayload);
            }
            case TRAILER -> handOut(id, body, listener::onTrailer);
            case END -> end(open, body);
            case FAILURE -> {
                throw new ResultFailedException(FailureBody.parse(require(body, kind, id)), id, null);
            }
            default -> {} // ignorable: verified and counted, its content is skipped
        }
    }

    private void end(FrameOpener open, @Nullable Chunk body) throws ResultException {
        ResultId id = open.open().id();
        open.verifyEnd(require(body, FrameKind.END, id));
        ResultSummary summary = new ResultSummary(
                id,
                open.open().codecId(),
                open.totals().payloadBytes(),
                open.totals().wireBytes() + assembler.offset() - assembler.frameOffset(),
                open.totals().trailerBytes(),
                open.totals().frames() + 1,
                firstPayloadNanos,
                window.budgetStallNanos(),
                0,
                0,
                0,
                0);
        call(id, () -> listener.onEnd(summary));
        current = null;
        endedStreams.add(open.streamId());
    }

    private static Chunk require(@Nullable Chunk body, FrameKind kind, ResultId id) throws MalformedDataException {
        if (body == null) {
            throw new MalformedDataException(kind + " frame is empty", ResultException.NONE, id);
        }
        return body;
    }

    private interface Delivery {
        void deliver(ByteBuf body) throws IOException;
    }

    @SuppressWarnings("ReferenceEquality") // which of two buffers it is, not what they hold
    private void handOut(ResultId id, @Nullable Chunk body, Delivery to) throws ResultException {
        if (body == null) {
            return;
        }
        body.touch(ChunkStage.READING);
        // A body that arrived uncompressed is the assembler's chunk: if the listener keeps it, the next frame needs
        // another. So it leaves the assembler here, and goes back to the pool unless it was retained.
        Chunk own = body == assembler.body() ? assembler.takeBody() : null;
        try {
            call(id, () -> to.deliver(body));
        } finally {
            if (own != null) {
                own.release();
            }
        }
    }

    private interface Callback {
        void run() throws IOException;
    }

    /** Calls the listener; what it throws fails the result, with its error as the cause. */
    private static void call(ResultId id, Callback callback) throws ResultException {
        try {
            callback.run();
        } catch (IOException | RuntimeException | Error e) {
            throw new ResultFailedException(Failures.describe(FailurePhase.RECEIVING, e, 0, 0), id, e);
        }
    }

    /** Fails the open result, or a frame that belongs to none; unless it is over, the rest of it is skipped. */
    private void fail(long streamId, ResultException e, boolean over) {
        FrameOpener open = current;
        current = null;
        if (!over) {
            skipping = true;
            skippedStream = streamId;
        }
        endedStreams.add(streamId);
        listener.onFailure(open == null ? null : open.open().id(), e);
    }

    private ResultException lose(ResultException e) {
        lost = e;
        FrameOpener open = current;
        current = null;
        if (open != null) {
            listener.onFailure(open.open().id(), e);
        }
        return e;
    }

    private void requireFraming() throws ResultException {
        if (lost != null) {
            throw lost;
        }
    }

    private @Nullable Chunk acquire() throws IOException {
        Chunk chunk = chunks.acquire(window);
        if (chunk != null) {
            chunk.touch(ChunkStage.RECEIVING);
        }
        return chunk;
    }
}
