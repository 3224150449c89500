// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import org.jspecify.annotations.Nullable;

/**
 * The only reader of flags: verifies the frames of one open result, each before its bytes are used, and expands them.
 *
 * <p>It checks, in this order: lengths against the chunk size that OPEN declares, body checksum, kind and flags,
 * sequence, order of kinds, limits. What it throws fails this result alone.
 *
 * <p><b>Ownership.</b> None: chunks are borrowed for the call.
 */
public final class FrameOpener {

    private final OpenBody open;
    private final long streamId;
    private final DecoderLimits limits;
    private final @Nullable BlockCompression compression;
    private final ResultTotals totals = new ResultTotals();
    private boolean inTrailer;
    private long offset;

    /** The open frame has been verified by {@link #verifyOpen}; its header is counted here. */
    public FrameOpener(
            OpenBody open, FrameHeader header, DecoderLimits limits, @Nullable BlockCompression compression) {
        this.open = open;
        this.streamId = header.streamId();
        this.limits = limits;
        this.compression = compression;
        totals.add(header.kindCode(), (int) header.wireLength(), (int) header.rawLength(), header.bodyCrc());
    }

    /** What an open frame must be, before a result exists that could judge it. */
    public static void verifyOpen(FrameHeader header, boolean bodyIntact, long at) throws MalformedDataException {
        if (!bodyIntact) {
            throw new MalformedDataException("body checksum of the open frame does not match", at);
        }
        if (header.mustUnderstandFlags() != 0) {
            throw new MalformedDataException("open frame has flags", 0, header.mustUnderstandFlags(), at, null);
        }
        if (header.rawLength() != header.wireLength()) {
            throw new MalformedDataException(
                    "raw length disagrees with wire length", header.wireLength(), header.rawLength(), at, null);
        }
        if (header.sequence() != 0) {
            throw new MalformedDataException("open frame's sequence is not 0", 0, header.sequence(), at, null);
        }
    }

    public long streamId() {
        return streamId;
    }

    public OpenBody open() {
        return open;
    }

    public ResultTotals totals() {
        return totals;
    }

    /** Verifies a frame of this result and counts it; {@code at} is where its header began. */
    public void verify(FrameHeader header, boolean bodyIntact, long at) throws ResultException {
        offset = at;
        verifyLengths(header);
        if (!bodyIntact) {
            throw malformed("body checksum does not match");
        }
        FrameKind kind = header.kind();
        verifyKind(kind, header);
        verifySequence(kind, header);
        if (kind == FrameKind.DATA && inTrailer) {
            throw malformed("data frame behind the trailer");
        }
        inTrailer |= kind == FrameKind.TRAILER;
        if (!kind.terminal()) {
            verifyLimits(kind, header);
            totals.add(header.kindCode(), (int) header.wireLength(), (int) header.rawLength(), header.bodyCrc());
        }
    }

    /** Verifies an end frame's body against what was received. */
    public void verifyEnd(ByteBuf body) throws MalformedDataException {
        if (body.readableBytes() < END_LENGTH) {
            throw malformed("end frame is too short", END_LENGTH, body.readableBytes());
        }
        int at = body.arrayOffset() + body.readerIndex();
        if ((int) FrameHeader.INT.get(body.array(), at + END_RESERVED_OFFSET) != 0) {
            throw malformed("reserved field of the end frame is not 0");
        }
        ResultTotals.Disagreement found = totals.disagreement(body.array(), at);
        if (!found.none()) {
            throw malformed(found.total() + " of the end frame disagree", found.counted(), found.declared());
        }
    }

    /** Expands a compressed body into another chunk, from 0 to its raw length exactly. */
    public void expand(FrameHeader header, Chunk body, Chunk into) throws MalformedDataException {
        BlockCompression with = compression;
        if (with == null || with.id() != open.compressionId()) {
            throw malformed("compressed frame in a result that declares no compression we have");
        }
        int rawLength = (int) header.rawLength();
        try {
            with.expand(
                    body.array(),
                    body.arrayOffset(),
                    body.readableBytes(),
                    into.array(),
                    into.arrayOffset(),
                    rawLength);
        } catch (MalformedDataException e) {
            MalformedDataException told = malformed(e.reason(), e.limit(), e.actual());
            told.initCause(e);
            throw told;
        }
        into.setIndex(0, rawLength);
    }

    /** Whether the frame's body would be expanded: then a second chunk is needed before it is judged. */
    public boolean expandable(FrameHeader header) {
        FrameKind kind = header.kind();
        return header.compressed() && (kind == FrameKind.DATA || kind == FrameKind.TRAILER);
    }

    private void verifyLengths(FrameHeader header) throws MalformedDataException {
        int largest = open.chunkSize() - HEADER_LENGTH;
        if (header.wireLength() > largest) {
            throw malformed("wire length exceeds the declared chunk size", largest, header.wireLength());
        }
        if (header.rawLength() > largest) {
            throw malformed("raw length exceeds the declared chunk size", largest, header.rawLength());
        }
        if (!header.compressed() && header.rawLength() != header.wireLength()) {
            throw malformed("raw length disagrees with wire length", header.wireLength(), header.rawLength());
        }
        if (header.compressed() && (header.wireLength() == 0 || header.wireLength() >= header.rawLength())) {
            throw malformed(
                    "compressed frame is not smaller than its raw length", header.rawLength(), header.wireLength());
        }
    }

    private void verifyKind(FrameKind kind, FrameHeader header) throws MalformedDataException {
        if (kind == FrameKind.UNKNOWN) {
            throw malformed("unknown frame kind " + header.kindCode());
        }
        if (kind.ofConnection()) {
            throw malformed("frame kind " + kind + " does not belong to a result");
        }
        if (kind == FrameKind.OPEN) {
            throw malformed("result opened twice");
        }
        int unknown = header.mustUnderstandFlags() & ~KNOWN_MUST_UNDERSTAND;
        if (unknown != 0) {
            throw malformed("unknown must-understand flags", KNOWN_MUST_UNDERSTAND, header.mustUnderstandFlags());
        }
        if (header.compressed() && !kind.compressible()) {
            throw malformed("frame kind " + kind + " is never compressed");
        }
        if (header.wireLength() == 0 && (kind == FrameKind.DATA || kind == FrameKind.TRAILER)) {
            throw malformed("empty " + kind + " frame");
        }
    }

    private void verifySequence(FrameKind kind, FrameHeader header) throws MalformedDataException {
        long expected = totals.frames();
        // A sender that fails drops what it had sealed: its failure frame may leave a gap in front.
        boolean right = kind == FrameKind.FAILURE ? header.sequence() >= expected : header.sequence() == expected;
        if (!right) {
            throw malformed("frame out of sequence", expected, header.sequence());
        }
        if (expected >= MAX_FRAMES) {
            throw malformed("too many frames", MAX_FRAMES, expected);
        }
    }

    private void verifyLimits(FrameKind kind, FrameHeader header) throws ResultTooLargeException {
        verifyLimit("wire bytes", limits.wireBytes(), totals.wireBytes() + HEADER_LENGTH + header.wireLength());
        if (kind == FrameKind.DATA) {
            verifyLimit("payload bytes", limits.payloadBytes(), totals.payloadBytes() + header.rawLength());
        } else if (kind == FrameKind.TRAILER) {
            verifyLimit("trailer bytes", limits.trailerBytes(), totals.trailerBytes() + header.rawLength());
        }
    }

    private void verifyLimit(String what, long limit, long actual) throws ResultTooLargeException {
        if (actual > limit) {
            throw new ResultTooLargeException("too many " + what, limit, actual, offset, open.id());
        }
    }

    private MalformedDataException malformed(String reason) {
        return malformed(reason, MalformedDataException.NONE, MalformedDataException.NONE);
    }

    private MalformedDataException malformed(String reason, long limit, long actual) {
        return new MalformedDataException(reason, limit, actual, offset, open.id());
    }
}
