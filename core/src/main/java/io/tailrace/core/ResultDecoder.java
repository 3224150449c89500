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
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameOpener;
import io.tailrace.core.frame.OpenBody;
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
 * alone: the rest of that result is passed over by its verified headers. Where framing is lost the exception is also
 * thrown to the caller, and the stream is over. States and checks are those of FRAME_FORMAT.md §11.
 *
 * <p><b>Ownership.</b> Bytes given are copied. Buffers given to the listener are borrowed.
 *
 * <p><b>Threads.</b> One thread at a time, usually the connection's I/O thread: values are decoded elsewhere. Any thread
 * reads {@link #liveBytes} and {@link #peakLiveBytes}.
 */
public final class ResultDecoder implements AutoCloseable {

    /** No frame of any result is larger; so much is passed over of one that is not read. */
    private static final int LARGEST_PASSED = FrameLayout.MAX_CHUNK_SIZE - FrameLayout.HEADER_LENGTH;

    private final ReaderSettings settings;
    private final ListenerCalls listener;
    private final ChunkWindow window;
    private final FrameAssembler assembler;
    private final ChunkSource chunks;
    private final EndedStreams endedStreams = new EndedStreams();

    private @Nullable FrameOpener current;
    private @Nullable OpenBody lastOpen;
    private long openedAt;
    private long budgetStalledBefore;
    private long windowStalledBefore;
    private long expandNanos;
    private long firstPayloadNanos;
    private boolean skipping;
    private long skippedStream;
    private @Nullable ResultException lost;
    private boolean closed;

    /** How this decoder gets chunks, waiting or asking to be called back; and what there is beside its own window. */
    interface ChunkSource {
        @Nullable
        Chunk acquire(ChunkWindow window) throws IOException;

        /** The decoder begins to use bytes. */
        default void begins() {}

        /** The decoder has no chunk and returns; false when one has come meanwhile, so that it had better try again. */
        default boolean returns() {
            return true;
        }

        /** The window of the thread that reads ahead, if one does. */
        default @Nullable ChunkWindow ahead() {
            return null;
        }

        /** Whether bytes given to the decoder stay as they are until it is closed. */
        default boolean bytesLast() {
            return false;
        }

        /** Memory outside the pool through which the bytes come, as far as it is known. */
        default long outsideBytes() {
            return 0;
        }
    }

    /** The window is this decoder's from here on. */
    ResultDecoder(ReaderSettings settings, ResultListener listener, ChunkSource chunks, ChunkWindow window) {
        this.settings = settings;
        this.listener = new ListenerCalls(listener);
        this.chunks = chunks;
        this.window = window;
        this.assembler = new FrameAssembler(this::acquire, chunks.bytesLast());
    }

    /**
     * Decodes as far as the bytes and the chunks go. Where a chunk cannot be made for want of heap, this throws with no
     * byte lost: what is left of them may be given again.
     *
     * @return true when all bytes are used; false when no chunk can be had now: the bytes that are left, which may be
     *     none, are to be given again once the callback that {@link ResultReader.Builder#decoder} was given has run
     * @throws ResultException when framing is lost; the open result has been failed with it
     */
    public boolean accept(ByteBuffer bytes) throws IOException {
        boolean used;
        do {
            chunks.begins();
            used = decode(bytes);
        } while (!used && !chunks.returns());
        return used;
    }

    /** The same for a Netty buffer, whose reader index moves, also when this throws; it is not released. */
    public boolean accept(ByteBuf bytes) throws IOException {
        boolean used;
        do {
            chunks.begins();
            ByteBuffer view = bytes.nioBuffer();
            try {
                used = decode(view);
            } finally {
                bytes.skipBytes(bytes.readableBytes() - view.remaining());
            }
        } while (!used && !chunks.returns());
        return used;
    }

    private boolean decode(ByteBuffer bytes) throws IOException {
        Progress progress = Progress.FRAME;
        while (progress == Progress.FRAME) {
            progress = step(bytes);
        }
        return progress == Progress.NEEDS_BYTES;
    }

    /** The stream has ended: clean between results, a truncation of the open one otherwise. */
    public void endOfInput() throws ResultException {
        requireFraming();
        ResultId id = openId();
        try {
            assembler.endOfInput();
        } catch (TruncatedResultException e) {
            throw lose(new TruncatedResultException(e.reason(), e.offset(), id));
        }
        if (id != null) {
            throw lose(new TruncatedResultException("the stream ends inside a result", assembler.offset(), id));
        }
        if (skipping) {
            throw lose(new TruncatedResultException(
                    "the stream ends inside a result that has failed", assembler.offset(), null));
        }
    }

    /** Bytes of this stream's chunks now live, by capacity, those that the listener keeps included; from any thread. */
    public long liveBytes() {
        ChunkWindow ahead = chunks.ahead();
        return window.liveBytes() + (ahead == null ? 0 : ahead.liveBytes());
    }

    /** The most that were live; where a thread reads ahead, its most and the decoder's, which need not have been at once. */
    public long peakLiveBytes() {
        ChunkWindow ahead = chunks.ahead();
        return window.peakLiveBytes() + (ahead == null ? 0 : ahead.peakLiveBytes());
    }

    /** Gives up; an open result fails as truncated. Nothing is accepted afterwards. */
    @Override
    public void close() {
        if (lost == null && openId() == null) {
            closed = true; // nobody need be told: so nothing is made to be thrown
            assembler.close();
            window.close();
        } else {
            giveUp("the decoder was closed", null);
        }
    }

    /** Closes for that reason; returns what ended the stream, now or before. An open result has been told. */
    ResultException giveUp(String reason, @Nullable Throwable cause) {
        ResultException why = lost;
        if (why == null) {
            why = new TruncatedResultException(reason, assembler.offset(), openId());
            why.initCause(cause);
            lose(why);
        }
        assembler.close();
        window.close();
        return why;
    }

    /**
     * Decodes until something was told to the listener, or a frame is done with.
     *
     * @return {@code FRAME} to be called again with what is left of the bytes
     */
    Progress step(ByteBuffer bytes) throws IOException {
        requireFraming();
        try {
            Progress progress = assembler.assemble(bytes);
            if (progress == Progress.HEADER) {
                judgeHeader(assembler.header());
                return Progress.FRAME;
            }
            if (progress == Progress.FRAME && !judgeFrame(assembler.header())) {
                return Progress.NEEDS_CHUNK;
            }
            return progress;
        } catch (MalformedDataException e) {
            throw lose(located(e, 0, true));
        }
    }

    /** Judges what the header tells, before any of the body is read. Throws only where framing is lost. */
    private void judgeHeader(FrameHeader header) throws MalformedDataException {
        int held = settings.pool().chunkBytes() - FrameLayout.HEADER_LENGTH;
        int passable = skipping ? LARGEST_PASSED : held;
        long at = assembler.frameOffset();
        if (header.wireLength() > passable) {
            throw new MalformedDataException(
                    "wire length exceeds what a chunk holds", passable, header.wireLength(), at, openId());
        }
        if (skipping && skips(header)) {
            assembler.passOver();
            return;
        }
        FrameOpener open = current;
        int largest =
                open != null && header.streamId() != 0 ? open.open().chunkSize() - FrameLayout.HEADER_LENGTH : held;
        try {
            FrameOpener.verifyLengths(header, largest, at, openId());
            assembler.keepBody();
        } catch (MalformedDataException e) {
            refuse(header, e);
            assembler.passOver();
        }
    }

    /** Whether a frame is passed over with the result that is being skipped, which its own terminal or another's opening ends. */
    private boolean skips(FrameHeader header) throws MalformedDataException {
        boolean ofSkipped = header.streamId() == skippedStream;
        if (header.streamId() == 0) {
            FrameOpener.verifyConnectionKind(header, assembler.frameOffset());
        }
        boolean opensAnother = header.kind() == FrameKind.OPEN && !ofSkipped;
        if (opensAnother || (ofSkipped && header.kind().terminal())) {
            skipping = false;
            endedStreams.add(skippedStream);
        }
        return !opensAnother;
    }

    /** Judges the whole frame; false when it is to be judged again. Throws only where framing is lost. */
    private boolean judgeFrame(FrameHeader header) throws IOException {
        boolean intact = assembler.bodyIntact();
        long at = assembler.frameOffset();
        try {
            FrameOpener open = current;
            if (header.streamId() == 0) {
                FrameOpener.verifyConnectionFrame(header, intact, at);
            } else {
                FrameOpener.verifyKind(header, intact, at, openId());
                if (open == null) {
                    openResult(header, at);
                } else if (header.streamId() == open.streamId()) {
                    if (!takeFrame(open, header)) {
                        return false;
                    }
                } else if (failedByForeignFrame(open, header, at)) {
                    return true; // the frame itself is judged by the next step, with no result open
                }
            }
        } catch (ResultException e) {
            refuse(header, e);
        }
        assembler.nextFrame();
        return true;
    }

    /** A foreign opening fails the open result, and then opens its own; any other foreign frame is refused with it. */
    private boolean failedByForeignFrame(FrameOpener open, FrameHeader header, long at) throws MalformedDataException {
        ResultId id = open.open().id();
        MalformedDataException foreign = new MalformedDataException("foreign frame", at, id);
        if (header.kind() != FrameKind.OPEN) {
            throw foreign;
        }
        current = null;
        endedStreams.add(open.streamId());
        listener.failure(id, foreign);
        return true;
    }

    private void openResult(FrameHeader header, long at) throws ResultException {
        boolean opens = header.kind() == FrameKind.OPEN;
        if (endedStreams.contains(header.streamId())) {
            throw new MalformedDataException(opens ? "result opened twice" : "frame after the result's end", at);
        }
        if (!opens) {
            throw new MalformedDataException("frame of a result that was not opened", at);
        }
        if (header.sequence() != 0) {
            throw new MalformedDataException("frame out of sequence", 0, header.sequence(), at, null);
        }
        OpenBody open = parseOpen(at);
        settings.verify(open, at);
        FrameOpener opened = new FrameOpener(open, header, settings.limits(), settings.compression());
        current = opened;
        openedAt = System.nanoTime();
        budgetStalledBefore = budgetStallNanos();
        windowStalledBefore = windowStallNanos();
        expandNanos = 0;
        firstPayloadNanos = 0;
        listener.open(opened);
    }

    private OpenBody parseOpen(long at) throws MalformedDataException {
        ByteBuf body = assembler.body();
        if (body == null) {
            throw new MalformedDataException("open frame is too short", at);
        }
        try {
            OpenBody open = OpenBody.parse(body, lastOpen);
            lastOpen = open;
            return open;
        } catch (MalformedDataException e) {
            throw located(e, at + FrameLayout.HEADER_LENGTH, false);
        }
    }

    private boolean takeFrame(FrameOpener open, FrameHeader header) throws IOException {
        open.verify(header, assembler.frameOffset());
        FrameKind kind = header.kind();
        switch (kind) {
            case DATA, TRAILER -> {
                ByteBuf content = FrameOpener.expandable(header) ? expanded(open, header) : assembler.takeBody();
                if (content == null) {
                    return false;
                }
                open.count(header);
                handOut(open, kind, content);
            }
            case END -> end(open);
            case FAILURE -> throw failure(open);
            default -> open.count(header); // ignorable: its content is skipped
        }
        return true;
    }

    private @Nullable Chunk expanded(FrameOpener open, FrameHeader header) throws IOException {
        Chunk into = acquire();
        if (into == null) {
            return null;
        }
        long start = System.nanoTime();
        try {
            open.expand(header, required(FrameKind.DATA), into);
            return into;
        } catch (Throwable e) {
            into.release();
            throw e;
        } finally {
            expandNanos += System.nanoTime() - start;
        }
    }

    private void handOut(FrameOpener open, FrameKind kind, ByteBuf content) throws ResultFailedException {
        if (kind == FrameKind.DATA && firstPayloadNanos == 0) {
            firstPayloadNanos = System.nanoTime() - openedAt;
        }
        listener.content(open, kind, content);
    }

    private void end(FrameOpener open) throws ResultException {
        open.verifyEnd(required(FrameKind.END));
        ResultSummary summary = new ResultSummary(
                open.open().id(),
                open.open().codecId(),
                open.totals().payloadBytes(),
                open.totals().wireBytes() + assembler.offset() - assembler.frameOffset(),
                open.totals().trailerBytes(),
                open.totals().frames() + 1,
                firstPayloadNanos,
                budgetStallNanos() - budgetStalledBefore,
                windowStallNanos() - windowStalledBefore,
                0,
                expandNanos,
                peakLiveBytes(),
                chunks.outsideBytes());
        current = null; // before the listener is told: it has had its one ending, whatever it does in there
        endedStreams.add(open.streamId());
        listener.end(open, summary);
    }

    private ResultFailedException failure(FrameOpener open) throws MalformedDataException {
        ByteBuf body = required(FrameKind.FAILURE);
        try {
            return new ResultFailedException(
                    FailureBody.parse(body), open.open().id(), null);
        } catch (MalformedDataException e) {
            throw located(e, assembler.frameOffset() + FrameLayout.HEADER_LENGTH, false);
        }
    }

    private ByteBuf required(FrameKind kind) throws MalformedDataException {
        ByteBuf body = assembler.body();
        if (body == null) {
            String name = kind == FrameKind.END ? "end" : "failure";
            throw new MalformedDataException(name + " frame is too short", assembler.frameOffset(), openId());
        }
        return body;
    }

    /** Fails the result that a refused frame belongs to or disturbs; what is left of it is skipped. */
    private void refuse(FrameHeader header, ResultException e) throws MalformedDataException {
        if (lost != null || closed) {
            return; // the listener has closed this decoder and was told then
        }
        if (header.streamId() == 0) {
            throw (MalformedDataException) e; // the connection's own frame: nothing else is thrown for one
        }
        FrameOpener open = current;
        current = null;
        long failed = open == null ? header.streamId() : open.streamId();
        boolean opens = header.kind() == FrameKind.OPEN;
        skipping = !(header.kind().terminal() && header.streamId() == failed);
        skippedStream = opens ? header.streamId() : failed;
        if (!skipping || skippedStream != failed) {
            endedStreams.add(failed);
        }
        listener.failure(open == null ? null : open.open().id(), e);
    }

    private ResultException lose(ResultException e) {
        lost = e;
        ResultId id = openId();
        current = null;
        if (id != null) {
            listener.failure(id, e);
        }
        return e;
    }

    /** The same fault at its place in the stream, and of the open result. */
    private MalformedDataException located(MalformedDataException e, long base, boolean framingLost) {
        long at = base + e.offset();
        MalformedDataException told = framingLost
                ? MalformedDataException.framingLost(e.reason(), e.limit(), e.actual(), at, openId())
                : new MalformedDataException(e.reason(), e.limit(), e.actual(), at, openId());
        told.initCause(e.getCause());
        told.setStackTrace(e.getStackTrace());
        return told;
    }

    private @Nullable ResultId openId() {
        FrameOpener open = current;
        return open == null ? null : open.open().id();
    }

    private void requireFraming() throws ResultException {
        if (closed && lost == null) {
            lost = new TruncatedResultException("the decoder was closed", assembler.offset(), null);
        }
        if (lost != null) {
            throw lost;
        }
    }

    private long budgetStallNanos() {
        ChunkWindow ahead = chunks.ahead();
        return window.budgetStallNanos() + (ahead == null ? 0 : ahead.budgetStallNanos());
    }

    private long windowStallNanos() {
        ChunkWindow ahead = chunks.ahead();
        return window.windowStallNanos() + (ahead == null ? 0 : ahead.windowStallNanos());
    }

    private @Nullable Chunk acquire() throws IOException {
        Chunk chunk = chunks.acquire(window);
        if (chunk != null) {
            chunk.touch(ChunkStage.RECEIVING);
        }
        return chunk;
    }
}
