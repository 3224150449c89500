// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.TruncatedResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Puts frames together from bytes that arrive in any pieces: the header in 32 bytes of its own, the body in a chunk of
 * the receiver's pool.
 *
 * <p>No length is believed before the header's checksum holds, and none ever sizes an allocation: a body that does not
 * fit a chunk is refused. A frame whose framing is lost throws; a frame whose body is damaged is delivered, marked, so
 * that its result alone fails.
 *
 * <p><b>Ownership.</b> Bytes given are copied. The chunk being filled is this assembler's until {@link #takeBody}, or
 * {@link #close}; one that was not taken is filled again for the next frame.
 */
public final class FrameAssembler {

    /** Where chunks come from; null when none can be had now. */
    public interface ChunkSource {
        @Nullable
        Chunk acquire() throws IOException;
    }

    /** How far a call came. */
    public enum Progress {
        /** All bytes given are used; the frame is not whole. */
        NEEDS_BYTES,
        /** No chunk can be had now; bytes may be left. */
        NEEDS_CHUNK,
        /** A frame is whole; bytes may be left. */
        FRAME
    }

    private enum State {
        PREAMBLE,
        HEADER,
        BODY,
        FRAME
    }

    private final ChunkSource chunks;
    private final int chunkBytes;
    private final byte[] preamble = new byte[PREAMBLE_LENGTH];
    private final FrameHeader header = new FrameHeader();
    private final CRC32C crc = new CRC32C();
    private State state = State.PREAMBLE;
    private int filled;
    private long offset;
    private long frameOffset;
    private @Nullable Chunk chunk;
    private boolean bodyIntact;

    public FrameAssembler(ChunkSource chunks, int chunkBytes) {
        this.chunks = chunks;
        this.chunkBytes = chunkBytes;
    }

    /** Bytes used since the start of the stream. */
    public long offset() {
        return offset;
    }

    /** Where the whole frame's header began. */
    public long frameOffset() {
        return frameOffset;
    }

    /** The whole frame's header; valid until the next {@link #assemble}. */
    public FrameHeader header() {
        return header;
    }

    public boolean bodyIntact() {
        return bodyIntact;
    }

    /** The whole frame's body, readable from 0; null when it is empty. The assembler keeps it. */
    public @Nullable Chunk body() {
        return header.wireLength() == 0 ? null : chunk;
    }

    /** Hands the body's chunk to the caller. */
    public Chunk takeBody() {
        Chunk taken = chunk;
        if (taken == null) {
            throw new IllegalStateException("there is no body");
        }
        chunk = null;
        return taken;
    }

    /** Uses bytes until a frame is whole; the frame before is forgotten, its chunk filled again unless taken. */
    public Progress assemble(ByteBuffer bytes) throws IOException {
        if (state == State.FRAME) {
            state = State.HEADER;
            filled = 0;
        }
        for (; ; ) {
            boolean whole = switch (state) {
                case PREAMBLE -> fillPreamble(bytes);
                case HEADER -> fillHeader(bytes);
                case BODY, FRAME -> true;
            };
            if (!whole) {
                return Progress.NEEDS_BYTES;
            }
            if (state == State.BODY) {
                return fillBody(bytes);
            }
        }
    }

    /** The stream has ended: fine between frames, a truncation within one. Between results is the caller's to judge. */
    public void endOfInput() throws TruncatedResultException {
        if (state == State.PREAMBLE) {
            throw new TruncatedResultException(
                    offset == 0 ? "the stream is empty" : "the stream ends inside its preamble", offset, null);
        }
        if (state == State.BODY || (state == State.HEADER && filled > 0)) {
            String where = state == State.BODY ? "body" : "header";
            throw new TruncatedResultException("the stream ends inside a frame's " + where, offset, null);
        }
    }

    public void close() {
        Chunk held = chunk;
        chunk = null;
        if (held != null) {
            held.release();
        }
    }

    private boolean fillPreamble(ByteBuffer bytes) throws MalformedDataException {
        fill(bytes, preamble);
        Preamble.verifyMagic(preamble, filled);
        if (filled < PREAMBLE_LENGTH) {
            return false;
        }
        Preamble.verify(preamble);
        state = State.HEADER;
        filled = 0;
        return true;
    }

    private boolean fillHeader(ByteBuffer bytes) throws MalformedDataException {
        if (filled == 0) {
            frameOffset = offset;
        }
        fill(bytes, header.bytes());
        if (filled < HEADER_LENGTH) {
            return false;
        }
        verifyHeader();
        state = State.BODY;
        filled = 0;
        return true;
    }

    private void verifyHeader() throws MalformedDataException {
        if (!header.intact()) {
            throw lost("header checksum does not match", MalformedDataException.NONE, MalformedDataException.NONE);
        }
        if (header.reserved() != 0) {
            throw lost("reserved byte of the header is not 0", 0, header.reserved());
        }
        if (header.wireLength() > chunkBytes - HEADER_LENGTH) {
            throw lost("wire length exceeds what a chunk holds", chunkBytes - HEADER_LENGTH, header.wireLength());
        }
    }

    private Progress fillBody(ByteBuffer bytes) throws IOException {
        int length = (int) header.wireLength();
        if (length > 0) {
            Chunk into = chunk;
            if (into == null) {
                into = chunks.acquire();
                if (into == null) {
                    return Progress.NEEDS_CHUNK;
                }
                chunk = into;
            }
            int part = Math.min(length - filled, bytes.remaining());
            bytes.get(into.array(), into.arrayOffset() + filled, part);
            filled += part;
            offset += part;
            if (filled < length) {
                return Progress.NEEDS_BYTES;
            }
            into.setIndex(0, length);
            crc.reset();
            crc.update(into.array(), into.arrayOffset(), length);
            bodyIntact = (int) crc.getValue() == header.bodyCrc();
        } else {
            bodyIntact = header.bodyCrc() == 0;
        }
        state = State.FRAME;
        return Progress.FRAME;
    }

    private void fill(ByteBuffer bytes, byte[] into) {
        int part = Math.min(into.length - filled, bytes.remaining());
        bytes.get(into, filled, part);
        filled += part;
        offset += part;
    }

    private MalformedDataException lost(String reason, long limit, long actual) {
        return MalformedDataException.framingLost(reason, limit, actual, frameOffset, null);
    }
}
