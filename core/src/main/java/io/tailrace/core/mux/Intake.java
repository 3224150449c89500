// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static io.tailrace.core.frame.FrameLayout.HEADER_LENGTH;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.Preamble;
import io.tailrace.core.wire.MalformedDataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Takes a multiplexed connection's bytes apart into frames, in whatever pieces they come. It believes no header whose
 * checksum does not hold; bodies of results go straight to where their owner says, and are judged by their readers.
 *
 * <p><b>Ownership.</b> Bytes given are copied; chunks are borrowed from one call of the owner to the next.
 */
final class Intake {

    /** What is done with frames. */
    interface Owner {
        /** A frame of the connection itself. The array is this intake's. */
        void control(FrameHeader header, boolean intact, ByteBuf body, byte[] frame, long at) throws IOException;

        /** An open or a failure frame, whole. */
        void whole(FrameHeader header, boolean intact, byte[] frame, int length, long at) throws IOException;

        /** Another frame of a result begins: where its body goes, or null to pass over it. */
        @Nullable
        Chunk begin(FrameHeader header, long at) throws IOException;

        int bodyAt();

        void end(FrameHeader header) throws IOException;
    }

    private enum State {
        PREAMBLE,
        HEADER,
        WHOLE,
        BODY
    }

    private final Owner owner;
    private final FrameHeader header = new FrameHeader();
    private final byte[] preamble = new byte[FrameLayout.PREAMBLE_LENGTH];
    private final byte[] head = new byte[HEADER_LENGTH];
    private final CRC32C crc = new CRC32C();
    private byte[] frame = new byte[512];
    private State state = State.PREAMBLE;
    private int filled;
    private int bodyLength;
    private @Nullable Chunk target;
    private int targetAt;
    private long offset;
    private long frameAt;
    private long frames;
    private long mostBytes = Long.MAX_VALUE;

    Intake(Owner owner) {
        this.owner = owner;
    }

    /** Takes no more than so many bytes in all, until it is allowed more. */
    void limit(long bytes) {
        mostBytes = bytes;
    }

    long offset() {
        return offset;
    }

    /** Whether a frame has begun and is not whole. */
    boolean inside() {
        return filled > 0 || state == State.BODY || state == State.WHOLE;
    }

    /** Frames that have come whole. */
    long frames() {
        return frames;
    }

    /** Uses all bytes. */
    void accept(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (offset >= mostBytes) {
                throw tooMany(offset + 1);
            }
            switch (state) {
                case PREAMBLE -> fillPreamble(bytes);
                case HEADER -> fillHeader(bytes);
                case WHOLE -> fillWhole(bytes);
                case BODY -> fillBody(bytes);
            }
        }
    }

    private MalformedDataException tooMany(long bytes) {
        return MalformedDataException.framingLost(
                "too many bytes before the peer has proved who it is", mostBytes, bytes, offset, null);
    }

    private void fillPreamble(ByteBuffer bytes) throws MalformedDataException {
        fill(bytes, preamble, preamble.length);
        Preamble.verify(preamble, filled, Preamble.MULTIPLEXED);
        if (filled == preamble.length) {
            next();
        }
    }

    private void next() {
        frames++;
        state = State.HEADER;
        filled = 0;
    }

    private void fillHeader(ByteBuffer bytes) throws IOException {
        if (filled == 0) {
            frameAt = offset;
        }
        fill(bytes, head, HEADER_LENGTH);
        if (filled < HEADER_LENGTH) {
            return;
        }
        header.read(head, 0);
        if (!header.intact()) {
            throw lost("header checksum does not match", MalformedDataException.NONE, MalformedDataException.NONE);
        }
        if (header.reserved() != 0) {
            throw lost("reserved byte of the header is not 0", 0, header.reserved());
        }
        FrameKind kind = header.kind();
        if (header.streamId() == 0) {
            beginWhole(FrameLayout.MAX_FRAME);
        } else if (kind == FrameKind.OPEN) {
            beginWhole(FrameLayout.MIN_CHUNK_SIZE);
        } else if (kind == FrameKind.FAILURE) {
            beginWhole(FrameLayout.MAX_FAILURE_FRAME);
        } else {
            bodyLength = (int) Math.min(Integer.MAX_VALUE, header.wireLength());
            target = owner.begin(header, frameAt);
            targetAt = target == null ? 0 : owner.bodyAt();
            state = State.BODY;
            filled = 0;
            if (bodyLength == 0) {
                endBody();
            }
        }
    }

    private void beginWhole(int most) throws IOException {
        long length = header.wireLength() + HEADER_LENGTH;
        if (length > most) {
            throw lost("frame is too long", most, length);
        }
        if (frameAt + length > mostBytes) {
            throw tooMany(frameAt + length);
        }
        int bound = (int) Math.min(most, mostBytes);
        if (frame.length < bound) {
            frame = new byte[bound]; // by the kind's own bound, whatever length is claimed
        }
        System.arraycopy(head, 0, frame, 0, HEADER_LENGTH);
        bodyLength = (int) header.wireLength();
        state = State.WHOLE;
        filled = HEADER_LENGTH;
        if (bodyLength == 0) {
            endWhole();
        }
    }

    private void fillWhole(ByteBuffer bytes) throws IOException {
        fill(bytes, frame, HEADER_LENGTH + bodyLength);
        if (filled == HEADER_LENGTH + bodyLength) {
            endWhole();
        }
    }

    private void endWhole() throws IOException {
        crc.reset();
        crc.update(frame, HEADER_LENGTH, bodyLength);
        boolean intact = bodyLength == 0 ? header.bodyCrc() == 0 : (int) crc.getValue() == header.bodyCrc();
        next();
        if (header.streamId() == 0) {
            ByteBuf body = Unpooled.wrappedBuffer(frame, HEADER_LENGTH, bodyLength);
            owner.control(header, intact, body, frame, frameAt);
        } else {
            owner.whole(header, intact, frame, HEADER_LENGTH + bodyLength, frameAt);
        }
    }

    private void fillBody(ByteBuffer bytes) throws IOException {
        int part = Math.min(bodyLength - filled, bytes.remaining());
        Chunk into = target;
        if (into != null) {
            bytes.get(into.array(), into.arrayOffset() + targetAt + filled, part);
        } else {
            bytes.position(bytes.position() + part);
        }
        filled += part;
        offset += part;
        if (filled == bodyLength) {
            endBody();
        }
    }

    private void endBody() throws IOException {
        target = null;
        next();
        owner.end(header);
    }

    private void fill(ByteBuffer bytes, byte[] into, int length) {
        int part = Math.min(length - filled, bytes.remaining());
        bytes.get(into, filled, part);
        filled += part;
        offset += part;
    }

    /** The whole of a frame that {@code control} was given, header and body. */
    static byte[] copy(FrameHeader header, byte[] frame) {
        return Arrays.copyOf(frame, HEADER_LENGTH + (int) header.wireLength());
    }

    private MalformedDataException lost(String reason, long limit, long actual) {
        return MalformedDataException.framingLost(reason, limit, actual, frameAt, null);
    }
}
