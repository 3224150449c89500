// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The only reader of flags: verifies the frames of one open result, each before its bytes are used, and expands them.
 *
 * <p>The order of checks is FRAME_FORMAT.md's: lengths before the body is read, then the body's checksum, kind and
 * flags, for which no result need be open; then sequence, order of kinds and limits. What it throws fails one result.
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

    /** The open frame has been verified; its header is counted here. */
    public FrameOpener(
            OpenBody open, FrameHeader header, DecoderLimits limits, @Nullable BlockCompression compression) {
        this.open = open;
        this.streamId = header.streamId();
        this.limits = limits;
        this.compression = compression;
        totals.add(header.kindCode(), (int) header.wireLength(), (int) header.rawLength(), header.bodyCrc());
    }

    /** Verifies what is told before the body is read: the lengths, of which {@code largest} is the most. */
    public static void verifyLengths(FrameHeader header, long largest, long at, @Nullable ResultId id)
            throws MalformedDataException {
        long wire = header.wireLength();
        long raw = header.rawLength();
        if (wire > largest) {
            throw new MalformedDataException("wire length exceeds the chunk size", largest, wire, at, id);
        }
        if (raw > largest) {
            throw new MalformedDataException("raw length exceeds the chunk size", largest, raw, at, id);
        }
        if (!header.compressed() && raw != wire) {
            throw new MalformedDataException("raw length disagrees with wire length", wire, raw, at, id);
        }
        if (header.compressed() && (wire == 0 || wire >= raw)) {
            throw new MalformedDataException("compressed frame is not smaller than its raw length", raw, wire, at, id);
        }
    }

    /** Verifies what holds for every frame of a result, open or not: the body's checksum, the kind and the flags. */
    public static void verifyKind(FrameHeader header, boolean bodyIntact, long at, @Nullable ResultId id)
            throws MalformedDataException {
        if (!bodyIntact) {
            throw new MalformedDataException("body checksum does not match", at, id);
        }
        FrameKind kind = header.kind();
        if (!kind.ofResult()) {
            throw new MalformedDataException("unknown frame kind " + header.kindCode(), at, id);
        }
        int flags = header.mustUnderstandFlags();
        if ((flags & ~KNOWN_MUST_UNDERSTAND) != 0) {
            throw new MalformedDataException("unknown flags", KNOWN_MUST_UNDERSTAND, flags, at, id);
        }
        if (header.compressed() && !kind.compressible()) {
            throw new MalformedDataException("frame kind is never compressed: " + kind, at, id);
        }
    }

    /** Verifies the body and the flags of a frame of the connection itself; this version knows none, and skips it. */
    public static void verifyConnectionFrame(FrameHeader header, boolean bodyIntact, long at)
            throws MalformedDataException {
        if (!bodyIntact) {
            throw new MalformedDataException("body checksum does not match", at);
        }
        verifyConnectionKind(header, at);
        int flags = header.mustUnderstandFlags();
        if (flags != 0) {
            throw new MalformedDataException("unknown flags on a frame of the connection", 0, flags, at, null);
        }
    }

    /** Verifies that a frame of the connection itself may be skipped. */
    public static void verifyConnectionKind(FrameHeader header, long at) throws MalformedDataException {
        if (header.kind() != FrameKind.IGNORABLE) {
            throw new MalformedDataException("unknown frame kind of the connection: " + header.kindCode(), at);
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

    /**
     * Verifies a frame of this result, whose kind is verified, against those before it; {@code at} is where its header
     * began.
     */
    public void verify(FrameHeader header, long at) throws ResultException {
        offset = at;
        FrameKind kind = header.kind();
        if (kind == FrameKind.OPEN) {
            throw malformed("result opened twice");
        }
        verifySequence(kind, header);
        if (kind == FrameKind.DATA && inTrailer) {
            throw malformed("data frame behind the trailer");
        }
        if (header.wireLength() == 0 && (kind == FrameKind.DATA || kind == FrameKind.TRAILER)) {
            throw malformed("empty frame: " + kind);
        }
        if (expandable(header) && open.compressionId() == 0) {
            throw malformed("compressed frame in a result without compression");
        }
        if (kind != FrameKind.FAILURE) {
            verifyLimits(kind, header);
        }
    }

    /** Counts a frame that was verified, and expanded if need be. */
    public void count(FrameHeader header) {
        inTrailer |= header.kind() == FrameKind.TRAILER;
        totals.add(header.kindCode(), (int) header.wireLength(), (int) header.rawLength(), header.bodyCrc());
    }

    /** Verifies an end frame's body against what was received. */
    public void verifyEnd(ByteBuf body) throws MalformedDataException {
        if (body.readableBytes() < END_LENGTH) {
            throw malformed("end frame is too short", END_LENGTH, body.readableBytes());
        }
        int at = body.arrayOffset() + body.readerIndex();
        if ((int) FrameHeader.INT.get(body.array(), at + END_RESERVED_OFFSET) != 0) {
            throw malformed("reserved field is not 0 in the end frame");
        }
        ResultTotals.Disagreement found = totals.disagreement(body.array(), at);
        if (!found.none()) {
            throw malformed(found.total() + " with the end frame", found.counted(), found.declared());
        }
    }

    /** Expands a compressed body into another chunk, from 0 to its raw length exactly. */
    public void expand(FrameHeader header, ByteBuf body, Chunk into) throws MalformedDataException {
        BlockCompression with = Objects.requireNonNull(compression); // a result that declares another was not opened
        int rawLength = (int) header.rawLength();
        try {
            with.expand(
                    body.array(),
                    body.arrayOffset() + body.readerIndex(),
                    body.readableBytes(),
                    into.array(),
                    into.arrayOffset(),
                    rawLength);
        } catch (MalformedDataException e) {
            throw notExpanded(malformed("compressed block does not expand: " + e.reason(), e.limit(), e.actual()), e);
        } catch (RuntimeException e) {
            // The block is hostile until it is expanded: whatever a decompressor makes of it, only this result fails.
            throw notExpanded(malformed("compressed block does not expand: " + e.getMessage()), e);
        }
        into.setIndex(0, rawLength);
    }

    private static MalformedDataException notExpanded(MalformedDataException told, Exception cause) {
        told.initCause(cause);
        return told;
    }

    /** Whether the frame's body is to be expanded, into a second chunk. */
    public static boolean expandable(FrameHeader header) {
        FrameKind kind = header.kind();
        return header.compressed() && (kind == FrameKind.DATA || kind == FrameKind.TRAILER);
    }

    private void verifySequence(FrameKind kind, FrameHeader header) throws MalformedDataException {
        long expected = totals.frames();
        // A sender that fails drops what it had sealed: its failure frame may leave a gap in front.
        boolean right = kind == FrameKind.FAILURE ? header.sequence() >= expected : header.sequence() == expected;
        if (!right || header.sequence() > MAX_SEQUENCE) {
            throw malformed("frame out of sequence", expected, header.sequence());
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
