// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stream under construction: valid by default, broken in the field that a test names.
 *
 * <p>Methods named after a kind add a frame; methods named after a field change the frame added last. Checksums, totals and
 * the digest are computed from what the frames then hold, so that the named field stays the only fault; a checksum that a test
 * sets itself is kept. Sequence numbers of later frames do not follow a broken one.
 */
public final class FrameBytes {

    /** The stream id of the first result; each open() takes the next one. */
    public static final long FIRST_STREAM_ID = 0x0123456789ABCDEFL;

    private static final byte[] MAGIC = {(byte) 0x89, 'T', 'R', 'L', 'R', '\r', '\n', 0x1A};

    private final byte[] preamble = new byte[12];
    private @Nullable Integer preambleChecksum;
    private final List<Frame> frames = new ArrayList<>();
    private final List<Frame> result = new ArrayList<>();
    private long nextStreamId = FIRST_STREAM_ID;
    private long currentStreamId;

    private int chunkSize = 512;
    private int compression;
    private String job = "etl";
    private long stage = 3;
    private long task = 7;
    private int attempt;
    private String codecId = "rows/1";

    private FrameBytes(int purpose) {
        System.arraycopy(MAGIC, 0, preamble, 0, MAGIC.length);
        preamble[8] = 1;
        preamble[10] = (byte) purpose;
    }

    public static FrameBytes file() {
        return new FrameBytes(1);
    }

    public static FrameBytes connection() {
        return new FrameBytes(2);
    }

    /** One direction of a multiplexed connection. */
    public static FrameBytes multiplexed() {
        return new FrameBytes(3).preambleByte(9, 1);
    }

    // What the next open() declares.

    public FrameBytes chunkSize(int bytes) {
        this.chunkSize = bytes;
        return this;
    }

    public FrameBytes compression(int id) {
        this.compression = id;
        return this;
    }

    public FrameBytes codecId(String id) {
        this.codecId = id;
        return this;
    }

    public FrameBytes identity(String newJob, long newStage, long newTask, int newAttempt) {
        this.job = newJob;
        this.stage = newStage;
        this.task = newTask;
        this.attempt = newAttempt;
        return this;
    }

    public FrameBytes nextStreamId(long id) {
        this.nextStreamId = id;
        return this;
    }

    // Frames.

    public FrameBytes open() {
        currentStreamId = nextStreamId++;
        result.clear();
        byte[] codec = codecId.getBytes(UTF_8);
        byte[] name = job.getBytes(UTF_8);
        LittleEndian body = new LittleEndian().u32(chunkSize).u16(compression).u16(0);
        body.u64(stage).u64(task).u32(attempt);
        body.u8(codec.length).bytes(codec).u8(name.length).bytes(name);
        return frame(ReferenceFrame.OPEN, body.toBytes());
    }

    public FrameBytes data(byte[] payload) {
        return frame(ReferenceFrame.DATA, payload);
    }

    public FrameBytes data(String payload) {
        return data(payload.getBytes(UTF_8));
    }

    public FrameBytes trailer(byte[] bytes) {
        return frame(ReferenceFrame.TRAILER, bytes);
    }

    /** A frame of any kind, uncompressed. */
    public FrameBytes frame(int kind, byte[] body) {
        Frame frame = new Frame(kind, result.size(), currentStreamId, body.clone());
        frames.add(frame);
        result.add(frame);
        return this;
    }

    /** A frame of the connection itself, which no result counts. */
    public FrameBytes control(int kind, byte[] body) {
        frames.add(new Frame(kind, 0, 0, body.clone()));
        return this;
    }

    /** DATA, TRAILER or an ignorable kind whose body is a block that expands to rawLength bytes. */
    public FrameBytes compressed(int kind, byte[] block, int rawLength) {
        return frame(kind, block).flags(1).rawLength(rawLength);
    }

    /** END with the totals and the digest of the result's frames. */
    public FrameBytes end() {
        LittleEndian digested = new LittleEndian();
        long raw = 0;
        long wire = 0;
        long trailer = 0;
        for (Frame frame : result) {
            raw += frame.kind == ReferenceFrame.DATA ? frame.rawLength() : 0;
            wire += frame.kind == ReferenceFrame.DATA ? frame.wireLength() : 0;
            trailer += frame.kind == ReferenceFrame.TRAILER ? frame.rawLength() : 0;
            frame.digestInto(digested);
        }
        LittleEndian body = new LittleEndian().u64(raw).u64(wire).u64(trailer).u64(result.size());
        body.u32(NaiveCrc32c.of(digested.toBytes())).u32(0);
        return frame(ReferenceFrame.END, body.toBytes());
    }

    public FrameBytes failure(int phase, boolean retriable, String className, String text, String stack) {
        LittleEndian body = new LittleEndian().u8(phase).u8(retriable ? 1 : 0).u16(0);
        body.u64(0).u64(result.size());
        for (String each : List.of(className, text, stack)) {
            byte[] bytes = each.getBytes(UTF_8);
            body.u16(bytes.length).bytes(bytes);
        }
        return frame(ReferenceFrame.FAILURE, body.toBytes());
    }

    /** OPEN, the payload and the trailer in frames as large as the chunk size allows, END. */
    public FrameBytes whole(byte[] payload, byte[] trailer) {
        open();
        cut(ReferenceFrame.DATA, payload);
        cut(ReferenceFrame.TRAILER, trailer);
        return end();
    }

    private void cut(int kind, byte[] bytes) {
        int most = chunkSize - ReferenceFrame.HEADER;
        for (int from = 0; from < bytes.length; from += most) {
            frame(kind, Arrays.copyOfRange(bytes, from, Math.min(from + most, bytes.length)));
        }
    }

    // The last frame, broken.

    public FrameBytes kind(int kind) {
        last().kind = kind;
        return this;
    }

    public FrameBytes flags(int flags) {
        last().flags = flags;
        return this;
    }

    public FrameBytes ignorableFlags(int flags) {
        last().ignorableFlags = flags;
        return this;
    }

    public FrameBytes reserved(int value) {
        last().reserved = value;
        return this;
    }

    public FrameBytes sequence(long sequence) {
        last().sequence = sequence;
        return this;
    }

    public FrameBytes streamId(long id) {
        last().streamId = id;
        return this;
    }

    public FrameBytes wireLength(long length) {
        last().wireLength = length;
        return this;
    }

    public FrameBytes rawLength(long length) {
        last().rawLength = length;
        return this;
    }

    public FrameBytes bodyChecksum(int checksum) {
        last().bodyChecksum = checksum;
        return this;
    }

    public FrameBytes headerChecksum(int checksum) {
        last().headerChecksum = checksum;
        return this;
    }

    public FrameBytes body(byte[] body) {
        last().body = body.clone();
        return this;
    }

    /** Overwrites part of the last frame's body; its checksum follows, the digest of a later end() too. */
    public FrameBytes bodyAt(int offset, byte... bytes) {
        System.arraycopy(bytes, 0, last().body, offset, bytes.length);
        return this;
    }

    // The preamble, broken.

    /** Overwrites a byte of the preamble before its checksum (offset 0 to 11); the checksum follows. */
    public FrameBytes preambleByte(int offset, int value) {
        preamble[offset] = (byte) value;
        return this;
    }

    public FrameBytes preambleChecksum(int checksum) {
        preambleChecksum = checksum;
        return this;
    }

    // The bytes.

    public byte[] preamble() {
        int checksum = preambleChecksum != null ? preambleChecksum : NaiveCrc32c.of(preamble);
        return new LittleEndian().bytes(preamble).u32(checksum).toBytes();
    }

    /** Each frame's bytes on their own: to be dropped, repeated or exchanged. */
    public List<byte[]> frames() {
        return frames.stream().map(Frame::bytes).toList();
    }

    public byte[] toBytes() {
        List<byte[]> parts = new ArrayList<>(frames());
        parts.add(0, preamble());
        return join(parts);
    }

    public static byte[] join(List<byte[]> parts) {
        LittleEndian joined = new LittleEndian();
        parts.forEach(joined::bytes);
        return joined.toBytes();
    }

    /** A copy with one bit flipped; bit 0 is the lowest of the first byte. */
    public static byte[] flipped(byte[] bytes, long bit) {
        byte[] flipped = bytes.clone();
        flipped[(int) (bit / 8)] ^= (byte) (1 << (bit % 8));
        return flipped;
    }

    private Frame last() {
        return frames.get(frames.size() - 1);
    }

    /** A frame's fields; null where they are what the body makes them. */
    private static final class Frame {
        private int kind;
        private int flags;
        private int ignorableFlags;
        private int reserved;
        private long sequence;
        private long streamId;
        private @Nullable Long wireLength;
        private @Nullable Long rawLength;
        private @Nullable Integer bodyChecksum;
        private @Nullable Integer headerChecksum;
        private byte[] body;

        Frame(int kind, long sequence, long streamId, byte[] body) {
            this.kind = kind;
            this.sequence = sequence;
            this.streamId = streamId;
            this.body = body;
        }

        long wireLength() {
            return wireLength != null ? wireLength : body.length;
        }

        long rawLength() {
            return rawLength != null ? rawLength : wireLength();
        }

        int bodyChecksum() {
            return bodyChecksum != null ? bodyChecksum : NaiveCrc32c.of(body);
        }

        void digestInto(LittleEndian digested) {
            digested.u32(sequence).u32(kind).u32(rawLength()).u32(bodyChecksum());
        }

        byte[] bytes() {
            LittleEndian header =
                    new LittleEndian().u8(kind).u8(flags).u8(ignorableFlags).u8(reserved);
            header.u32(sequence).u64(streamId);
            header.u32(wireLength()).u32(rawLength()).u32(bodyChecksum());
            int checksum = headerChecksum != null ? headerChecksum : NaiveCrc32c.of(header.toBytes());
            return header.u32(checksum).bytes(body).toBytes();
        }
    }
}
