// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;

/**
 * Reads the frames of a multiplexed connection itself. All that is wrong with one ends the connection; what would be
 * wrong only in its place, such as a second HELLO, is for the listener to judge.
 *
 * <p><b>Ownership.</b> None: buffers are borrowed for the call, and read.
 */
public final class ControlReader {

    /** Told what a frame says; of one with several entries, entry by entry, so that those before a broken one count. */
    public interface Listener {
        void onHello(HelloBody hello) throws IOException;

        void onProof(byte[] proof) throws IOException;

        void onCredit(long stream, long bytes) throws IOException;

        void onPing(long token) throws IOException;

        void onPong(long token) throws IOException;

        void onBacklog(long stream, long waiting, boolean own) throws IOException;

        void onFate(long stream, ResultFate fate) throws IOException;

        void onBye(ByeReason reason, String text) throws IOException;
    }

    private final ByteBuf body;
    private final int start;
    private final long at;
    private final String frame;

    private ControlReader(FrameKind kind, ByteBuf body, long at) {
        this.body = body;
        this.start = body.readerIndex();
        this.at = at;
        this.frame = kind.name();
    }

    /** Judges a header of stream id 0 before its body has come: one that passes announces 4,064 bytes at most. */
    public static void verifyHeader(FrameHeader header, long at) throws MalformedDataException {
        if (header.reserved() != 0) {
            throw lost("reserved byte of the header is not 0", 0, header.reserved(), at);
        }
        FrameKind kind = header.kind();
        if (kind == FrameKind.UNKNOWN || (kind.ofResult() && kind != FrameKind.IGNORABLE)) {
            throw lost("unknown frame kind of the connection: " + header.kindCode(), at);
        }
        int flags = header.mustUnderstandFlags();
        if (flags != 0) {
            throw lost("unknown flags on a frame of the connection", 0, flags, at);
        }
        if (header.wireLength() > MAX_CONTROL_LENGTH) {
            throw lost("frame of the connection is too long", MAX_CONTROL_LENGTH, header.wireLength(), at);
        }
        if (header.rawLength() != header.wireLength()) {
            throw lost("raw length disagrees with wire length", header.wireLength(), header.rawLength(), at);
        }
        if (header.sequence() != 0 && kind != FrameKind.IGNORABLE) {
            throw lost("frame of the connection has a sequence", 0, header.sequence(), at);
        }
    }

    /**
     * Reads a whole frame, whose header's checksum holds.
     *
     * @param bodyIntact whether the body's checksum holds
     * @param body readable from the body's first byte to its last; on the heap
     * @param at where the header began
     */
    public static void read(FrameHeader header, boolean bodyIntact, ByteBuf body, long at, Listener listener)
            throws IOException {
        if (header.streamId() != 0) {
            throw new IllegalArgumentException("a frame of result " + header.streamId());
        }
        verifyHeader(header, at);
        if (!bodyIntact) {
            throw lost("body checksum does not match", at);
        }
        ControlReader reader = new ControlReader(header.kind(), body, at + HEADER_LENGTH);
        switch (header.kind()) {
            case HELLO -> listener.onHello(reader.hello());
            case PROOF -> listener.onProof(reader.proof());
            case CREDIT -> reader.credits(listener);
            case PING -> listener.onPing(reader.token());
            case PONG -> listener.onPong(reader.token());
            case BACKLOG -> reader.backlog(listener);
            case FATE -> reader.fates(listener);
            case BYE -> reader.bye(listener);
            default -> {} // ignorable: verified, and skipped
        }
    }

    private HelloBody hello() throws MalformedDataException {
        require(HELLO_NAME_OFFSET + 1);
        int role = body.readUnsignedByte();
        if (role != HELLO_CLIENT && role != HELLO_SERVER) {
            throw broken("unknown role", HELLO_SERVER, role, 0);
        }
        boolean server = role == HELLO_SERVER;
        int flags = body.readUnsignedByte();
        requireAtMost(flags & ~HELLO_PROVES, 0, "unknown flags", HELLO_FLAGS_OFFSET);
        requireAtMost(body.readUnsignedShortLE(), 0, "reserved field is not 0", HELLO_RESERVED_OFFSET);
        long chunk = body.readUnsignedIntLE();
        if (chunk < MIN_CHUNK_SIZE || chunk > MAX_CHUNK_SIZE) {
            throw broken("chunk is out of range", MAX_CHUNK_SIZE, chunk, HELLO_CHUNK_OFFSET);
        }
        long credit = body.readLongLE();
        requireAtMost(credit, server ? Long.MAX_VALUE : 0, "initial credit is out of range", HELLO_CREDIT_OFFSET);
        long heartbeat = body.readUnsignedIntLE();
        requireAtMost(heartbeat, Integer.MAX_VALUE, "heartbeat is out of range", HELLO_HEARTBEAT_OFFSET);
        requireAtMost(body.readUnsignedIntLE(), 0, "reserved field is not 0", HELLO_RESERVED_AGAIN_OFFSET);
        HelloBody.Nonce nonce =
                new HelloBody.Nonce(body.readLongLE(), body.readLongLE(), body.readLongLE(), body.readLongLE());
        String name = text(body.readUnsignedByte(), "name");
        boolean proves = (flags & HELLO_PROVES) != 0;
        return new HelloBody(server, proves, (int) chunk, credit, (int) heartbeat, nonce, name);
    }

    private byte[] proof() throws MalformedDataException {
        require(PROOF_LENGTH);
        byte[] proof = new byte[PROOF_LENGTH];
        body.readBytes(proof);
        return proof;
    }

    private void credits(Listener listener) throws IOException {
        require(CREDIT_ENTRY_LENGTH);
        requireWhole(CREDIT_ENTRY_LENGTH);
        while (body.isReadable()) {
            long stream = body.readLongLE();
            long bytes = body.readLongLE();
            if (bytes <= 0) {
                throw broken("credit is not positive", Long.MAX_VALUE, bytes, offset() - Long.BYTES);
            }
            listener.onCredit(stream, bytes);
        }
    }

    private long token() throws MalformedDataException {
        require(TOKEN_LENGTH);
        return body.readLongLE();
    }

    private void backlog(Listener listener) throws IOException {
        require(BACKLOG_LENGTH);
        long stream = result();
        long waiting = body.readLongLE();
        requireAtMost(waiting, Long.MAX_VALUE, "waiting bytes are out of range", BACKLOG_WAITING_OFFSET);
        long flags = body.readLongLE(); // a byte of flags, seven reserved
        requireAtMost(flags & 0xFF & ~BACKLOG_OWN, 0, "unknown flags", BACKLOG_FLAGS_OFFSET);
        requireAtMost(flags >>> 8, 0, "reserved field is not 0", BACKLOG_FLAGS_OFFSET + 1);
        listener.onBacklog(stream, waiting, (flags & BACKLOG_OWN) != 0);
    }

    private void fates(Listener listener) throws IOException {
        require(FATE_REASON_OFFSET + 2);
        int code = body.readUnsignedByte();
        Verdict verdict = Verdict.of(code);
        if (verdict == null) {
            throw broken("unknown verdict", MalformedDataException.NONE, code, 0);
        }
        boolean retriable = (body.readByte() & FATE_RETRIABLE) != 0;
        int length = body.readUnsignedShortLE();
        requireAtMost(length, MAX_FATE_REASON_LENGTH, "reason is too long", FATE_REASON_OFFSET);
        ResultFate fate = new ResultFate(verdict, text(length, "reason"), retriable);
        requireWhole(Long.BYTES);
        int count = body.readableBytes() / Long.BYTES;
        if (count < 1 || count > MAX_FATES) {
            throw broken("results are not from 1 to " + MAX_FATES, MAX_FATES, count, offset());
        }
        while (body.isReadable()) {
            listener.onFate(result(), fate);
        }
    }

    private void bye(Listener listener) throws IOException {
        require(BYE_TEXT_OFFSET + 1);
        ByeReason reason = ByeReason.of(body.readUnsignedByte());
        listener.onBye(reason, text(body.readUnsignedByte(), "text"));
    }

    private long result() throws MalformedDataException {
        long stream = body.readLongLE();
        if (stream == 0) {
            throw broken("stream id 0 is no result", offset() - Long.BYTES);
        }
        return stream;
    }

    private String text(int length, String field) throws MalformedDataException {
        try {
            return FrameText.read(body, length, frame + " frame", field);
        } catch (MalformedDataException e) {
            MalformedDataException told = lost(e.reason(), e.limit(), e.actual(), at + e.offset() - start);
            told.initCause(e.getCause());
            throw told;
        }
    }

    /** A body may be longer, where a newer minor version appended a field. */
    private void require(int length) throws MalformedDataException {
        if (body.readableBytes() < length) {
            throw broken("too short", length, body.readableBytes(), 0);
        }
    }

    private void requireWhole(int entry) throws MalformedDataException {
        if (body.readableBytes() % entry != 0) {
            throw broken("the last entry is cut", entry, body.readableBytes() % entry, offset());
        }
    }

    /** The number is unsigned: one that no long holds, or no int, is above every limit. */
    private void requireAtMost(long value, long limit, String reason, int offset) throws MalformedDataException {
        if (value < 0 || value > limit) {
            throw broken(reason, limit, value < 0 ? Long.MAX_VALUE : value, offset);
        }
    }

    private int offset() {
        return body.readerIndex() - start;
    }

    private MalformedDataException broken(String reason, int offset) {
        return broken(reason, MalformedDataException.NONE, MalformedDataException.NONE, offset);
    }

    private MalformedDataException broken(String reason, long limit, long actual, int offset) {
        return lost(frame + " frame: " + reason, limit, actual, at + offset);
    }

    private static MalformedDataException lost(String reason, long at) {
        return lost(reason, MalformedDataException.NONE, MalformedDataException.NONE, at);
    }

    private static MalformedDataException lost(String reason, long limit, long actual, long at) {
        return MalformedDataException.framingLost(reason, limit, actual, at, null);
    }
}
