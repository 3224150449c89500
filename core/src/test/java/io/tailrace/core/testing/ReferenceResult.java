// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Reported.Failure;
import io.tailrace.core.testing.Reported.Opened;
import java.io.ByteArrayOutputStream;

/** The open result: its fields, what it has brought so far, its totals. FRAME_FORMAT.md §6 to §8. */
final class ReferenceResult {

    private static final int LONGEST_OPEN = 480;

    final long streamId;
    final Opened opened;
    private final ByteArrayOutputStream payload = new ByteArrayOutputStream();
    private final ByteArrayOutputStream trailer = new ByteArrayOutputStream();
    private final LittleEndian digested = new LittleEndian();
    private long payloadWireBytes;
    private long frames;

    ReferenceResult(ReferenceFrame open, byte[] body, int readersChunk) throws Refusal {
        this.streamId = open.streamId();
        Refusal.unless(body.length <= LONGEST_OPEN, "open frame is too long");
        this.opened = opened(new Fields("open", body, 0), readersChunk);
        count(open);
    }

    int bodyLimit() {
        return opened.chunkSize() - ReferenceFrame.HEADER;
    }

    /** Step 9 to 11 for anything but OPEN and FAILURE; true when END completes the result. */
    boolean accept(ReferenceFrame frame, byte[] body) throws Refusal {
        boolean content = frame.kind() == ReferenceFrame.DATA || frame.kind() == ReferenceFrame.TRAILER;
        boolean orderly = frame.kind() != ReferenceFrame.DATA || trailer.size() == 0;
        Refusal.unless(orderly, "data frame behind the trailer");
        Refusal.unless(!content || frame.rawLength() > 0, "empty frame");
        Refusal.unless(
                !content || !frame.isCompressed() || opened.compression() != 0,
                "compressed frame in a result without compression");
        if (frame.kind() == ReferenceFrame.END) {
            end(new Fields("end", body, 0));
            return true;
        }
        if (content) {
            byte[] raw = frame.isCompressed() ? expand(body, (int) frame.rawLength()) : body;
            if (frame.kind() == ReferenceFrame.DATA) {
                payload.writeBytes(raw);
                payloadWireBytes += frame.wireLength();
            } else {
                trailer.writeBytes(raw);
            }
        }
        count(frame);
        return false;
    }

    void checkSequence(ReferenceFrame frame) throws Refusal {
        frame.checkSequence(frames);
    }

    byte[] payload() {
        return payload.toByteArray();
    }

    byte[] trailer() {
        return trailer.toByteArray();
    }

    static Failure failure(Fields body) throws Refusal {
        int phase = body.u8();
        boolean retriable = (body.u8() & 1) != 0;
        int reserved = body.u16();
        long payloadBytes = body.i64();
        long frames = body.i64();
        byte[] className = body.bytes(body.u16());
        byte[] text = body.bytes(body.u16());
        byte[] stack = body.bytes(body.u16());
        Refusal.unless(reserved == 0, "reserved field is not 0");
        boolean shortEnough = className.length <= 255 && text.length <= 2048 && stack.length <= 4096;
        Refusal.unless(shortEnough, "failure text is too long");
        return new Failure(
                phase <= 8 ? phase : 0,
                retriable,
                payloadBytes,
                frames,
                Fields.text(className),
                Fields.text(text),
                Fields.text(stack));
    }

    private static Opened opened(Fields body, int readersChunk) throws Refusal {
        long chunkSize = body.u32();
        int compression = body.u16();
        int reserved = body.u16();
        long stage = body.i64();
        long task = body.i64();
        int attempt = body.i32();
        byte[] codecId = body.bytes(body.u8());
        byte[] job = body.bytes(body.u8());
        Refusal.unless(chunkSize >= 512 && chunkSize <= 16_777_216, "chunk size is out of range");
        Refusal.unless(chunkSize <= readersChunk, "chunk size exceeds the reader's");
        Refusal.unless(compression <= 1, "unknown compression");
        Refusal.unless(reserved == 0, "reserved field is not 0");
        Refusal.unless(codecId.length <= 64, "codec id is too long");
        return new Opened((int) chunkSize, compression, stage, task, attempt, Fields.text(codecId), Fields.text(job));
    }

    private void end(Fields body) throws Refusal {
        long payloadBytes = body.i64();
        long wireBytes = body.i64();
        long trailerBytes = body.i64();
        long frameCount = body.i64();
        int digest = body.i32();
        Refusal.unless(body.u32() == 0, "reserved field is not 0");
        Refusal.unless(payloadBytes == payload.size(), "payload bytes disagree");
        Refusal.unless(wireBytes == payloadWireBytes, "payload wire bytes disagree");
        Refusal.unless(trailerBytes == trailer.size(), "trailer bytes disagree");
        Refusal.unless(frameCount == frames, "frames disagree");
        Refusal.unless(digest == NaiveCrc32c.of(digested.toBytes()), "digest disagrees");
    }

    private void count(ReferenceFrame frame) {
        frames++;
        digested.u32(frame.sequence()).u32(frame.kind()).u32(frame.rawLength()).u32(frame.bodyChecksum());
    }

    private static byte[] expand(byte[] block, int rawLength) throws Refusal {
        try {
            return NaiveLz4.expand(block, rawLength);
        } catch (IllegalArgumentException e) {
            throw new Refusal(String.valueOf(e.getMessage()), false);
        }
    }
}
