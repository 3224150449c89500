// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** The frames of a stream, found by their lengths, and a way to break one header field behind valid checksums. */
final class WireFrames {

    static final int PREAMBLE = 16;
    static final int HEADER = 32;
    static final int DATA = 2;

    record Frame(int at, int kind, boolean compressed, int wireLength, int rawLength) {}

    private WireFrames() {}

    static List<Frame> of(byte[] stream) {
        ByteBuffer bytes = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        List<Frame> frames = new ArrayList<>();
        int at = PREAMBLE;
        while (at < stream.length) {
            Frame frame = new Frame(
                    at, bytes.get(at), (bytes.get(at + 1) & 1) != 0, bytes.getInt(at + 16), bytes.getInt(at + 20));
            frames.add(frame);
            at += HEADER + frame.wireLength();
        }
        return frames;
    }

    static List<Frame> data(byte[] stream) {
        return of(stream).stream().filter(frame -> frame.kind() == DATA).toList();
    }

    /** Sets the raw length that a frame claims, and the header's checksum with it. */
    static void claimRawLength(byte[] stream, Frame frame, int rawLength) {
        ByteBuffer bytes = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(frame.at() + 20, rawLength);
        CRC32C crc = new CRC32C();
        crc.update(stream, frame.at(), 28);
        bytes.putInt(frame.at() + 28, (int) crc.getValue());
    }
}
