// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
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
 * <p>It stops twice in each frame. Behind the header, whose checksum holds, its owner judges the lengths and either
 * {@linkplain #keepBody keeps} the body or has it {@linkplain #passOver passed over}, for which no chunk is needed; so no
 * length is believed before, and none ever sizes an allocation. Behind the body the frame is whole, until
 * {@link #nextFrame}. A damaged body is marked, so that its result alone fails.
 *
 * <p><b>Ownership.</b> Bytes given are copied, unless they last: then a body that is whole in an array stays where it is. The
 * chunk being filled is this assembler's until {@link #takeBody}, or {@link #close}; one that was not taken is filled again
 * for the next frame.
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
        /** A header is whole and waits to be judged; bytes may be left. */
        HEADER,
        /** A frame is whole; bytes may be left. */
        FRAME
    }

    private enum State {
        PREAMBLE,
        HEADER,
        JUDGED,
        BODY,
        PASSING,
        FRAME
    }

    private final ChunkSource chunks;
    private final boolean lasting;
    private final byte[] preamble = new byte[PREAMBLE_LENGTH];
    private final FrameHeader header = new FrameHeader();
    private final CRC32C crc = new CRC32C();
    private State state = State.PREAMBLE;
    private int filled;
    private long toPass;
    private long offset;
    private long frameOffset;
    private @Nullable Chunk chunk;

    /** The whole frame's body: the chunk, or the bytes where they came. */
    private @Nullable ByteBuf body;

    private boolean bodyIntact;

    /** @param lasting whether bytes given stay as they are until this is closed */
    public FrameAssembler(ChunkSource chunks, boolean lasting) {
        this.chunks = chunks;
        this.lasting = lasting;
    }

    /** Bytes used since the start of the stream. */
    public long offset() {
        return offset;
    }

    /** Where the frame's header began. */
    public long frameOffset() {
        return frameOffset;
    }

    /** The frame's header; valid until {@link #nextFrame} or {@link #passOver}. */
    public FrameHeader header() {
        return header;
    }

    public boolean bodyIntact() {
        return bodyIntact;
    }

    /** The whole frame's body, readable from 0; null when it is empty. The assembler keeps it. */
    public @Nullable ByteBuf body() {
        return body;
    }

    /** Hands the body to the caller, who releases it. */
    public ByteBuf takeBody() {
        ByteBuf taken = body;
        if (taken == null) {
            throw new IllegalStateException("there is no body");
        }
        body = null;
        if (taken instanceof Chunk) {
            chunk = null;
        }
        return taken;
    }

    /** Uses bytes until a header or a frame is whole, and stays there until it is told how to go on. */
    public Progress assemble(ByteBuffer bytes) throws IOException {
        boolean whole = true;
        while (whole) {
            switch (state) {
                case PREAMBLE -> whole = fillPreamble(bytes);
                case HEADER -> whole = fillHeader(bytes);
                case JUDGED -> {
                    return Progress.HEADER;
                }
                case BODY -> {
                    return fillBody(bytes);
                }
                case PASSING -> whole = pass(bytes);
                case FRAME -> {
                    return Progress.FRAME;
                }
            }
        }
        return Progress.NEEDS_BYTES;
    }

    /** The header is good: its body, which fits a chunk, is assembled. */
    public void keepBody() {
        state = State.BODY;
        filled = 0;
    }

    /** The frame is not wanted: its body goes by unseen, whatever its length, and the next header follows. */
    public void passOver() {
        toPass = header.wireLength();
        if (toPass == 0) {
            nextFrame();
        } else {
            state = State.PASSING;
        }
    }

    /** The whole frame is forgotten; its chunk is filled again unless it was taken. */
    public void nextFrame() {
        body = null; // the chunk stays; what is in place is on the heap, and the caller's
        state = State.HEADER;
        filled = 0;
    }

    /** The stream has ended: fine between frames, a truncation within one. Between results is the caller's to judge. */
    public void endOfInput() throws TruncatedResultException {
        if (state == State.PREAMBLE) {
            throw new TruncatedResultException("the stream ends inside its preamble", offset, null);
        }
        boolean between = state == State.FRAME || (state == State.HEADER && filled == 0);
        if (!between) {
            String where = state == State.HEADER ? "header" : "body";
            throw new TruncatedResultException("the stream ends inside a frame's " + where, offset, null);
        }
    }

    public void close() {
        Chunk held = chunk;
        chunk = null;
        body = null;
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
        if (!header.intact()) {
            throw lost("header checksum does not match", MalformedDataException.NONE, MalformedDataException.NONE);
        }
        if (header.reserved() != 0) {
            throw lost("reserved byte of the header is not 0", 0, header.reserved());
        }
        state = State.JUDGED;
        return true;
    }

    private boolean pass(ByteBuffer bytes) {
        int part = (int) Math.min(toPass, bytes.remaining());
        bytes.position(bytes.position() + part);
        toPass -= part;
        offset += part;
        if (toPass > 0) {
            return false;
        }
        nextFrame();
        return true;
    }

    private Progress fillBody(ByteBuffer bytes) throws IOException {
        int length = (int) header.wireLength();
        if (lasting && length > 0 && filled == 0 && bytes.hasArray() && bytes.remaining() >= length) {
            takeInPlace(bytes, length);
        } else if (length > 0) {
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
            verify(into.array(), into.arrayOffset(), length);
            body = into;
        } else {
            bodyIntact = header.bodyCrc() == 0;
        }
        state = State.FRAME;
        return Progress.FRAME;
    }

    private void takeInPlace(ByteBuffer bytes, int length) {
        int from = bytes.arrayOffset() + bytes.position();
        verify(bytes.array(), from, length);
        body = Unpooled.wrappedBuffer(bytes.array(), from, length);
        bytes.position(bytes.position() + length);
        offset += length;
    }

    private void verify(byte[] array, int from, int length) {
        crc.reset();
        crc.update(array, from, length);
        bodyIntact = (int) crc.getValue() == header.bodyCrc();
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
