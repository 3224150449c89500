// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.ResultFailure;
import java.util.zip.CRC32C;

/**
 * The only writer of headers: it patches the room that was left in front of a frame's body, and counts the frame.
 *
 * <p><b>Ownership.</b> None: chunks are borrowed for the call.
 */
public final class FrameSealer {

    private final long streamId;
    private final CRC32C crc = new CRC32C();
    private final ResultTotals totals = new ResultTotals();

    public FrameSealer(long streamId) {
        this.streamId = streamId;
    }

    /** For the failure of a result of which so many frames were sent. */
    public static FrameSealer behind(long streamId, long frames) {
        FrameSealer sealer = new FrameSealer(streamId);
        sealer.totals.skipTo(frames);
        return sealer;
    }

    public ResultTotals totals() {
        return totals;
    }

    /** Seals the frame whose header room is at {@code header} and whose body reaches to the chunk's writer index. */
    public void seal(ByteBuf chunk, int header, FrameKind kind) {
        int length = chunk.writerIndex() - header - HEADER_LENGTH;
        sealArray(chunk, header, kind, 0, length);
    }

    /** Seals a body that was compressed, from {@code rawLength} bytes. */
    public void sealCompressed(ByteBuf chunk, int header, FrameKind kind, int rawLength) {
        sealArray(chunk, header, kind, COMPRESSED, rawLength);
    }

    /** Seals the header of a data frame whose body is the chunk's out-of-band one. */
    public void sealOutOfBand(Chunk chunk, int header) {
        int length = chunk.bodyBytes();
        crc.reset();
        chunk.updateBody(crc);
        writeHeader(chunk, header, FrameKind.DATA, 0, length, length, (int) crc.getValue());
    }

    /** Appends an open frame at the writer index. */
    public void appendOpen(ByteBuf chunk, OpenBody open) {
        int header = reserve(chunk);
        open.write(chunk);
        seal(chunk, header, FrameKind.OPEN);
    }

    /** Appends the end frame at the writer index, where {@link FrameLayout#END_ROOM} bytes are free. */
    public void appendEnd(ByteBuf chunk) {
        int header = reserve(chunk);
        totals.writeEnd(chunk.array(), chunk.arrayOffset() + header + HEADER_LENGTH);
        chunk.writerIndex(header + HEADER_LENGTH + END_LENGTH);
        seal(chunk, header, FrameKind.END);
    }

    /**
     * Appends a failure frame at the writer index, shortened to what fits before {@code limit}. Its sequence may leave
     * a gap: sealed frames that were dropped with the failure never arrive.
     */
    public void appendFailure(ByteBuf chunk, ResultFailure failure, int limit) {
        int header = reserve(chunk);
        FailureBody.write(failure, chunk, limit);
        seal(chunk, header, FrameKind.FAILURE);
    }

    /** Seals a frame of the connection itself, which nobody counts. */
    static void sealControl(ByteBuf into, int header, FrameKind kind) {
        byte[] array = into.array();
        int at = into.arrayOffset() + header;
        int length = into.writerIndex() - header - HEADER_LENGTH;
        CRC32C crc = new CRC32C();
        crc.update(array, at + HEADER_LENGTH, length);
        int bodyCrc = (int) crc.getValue();
        writeHeader(crc, array, at, kind.code(), 0, 0, 0, length, length, bodyCrc);
    }

    static int reserve(ByteBuf chunk) {
        int header = chunk.writerIndex();
        chunk.ensureWritable(HEADER_LENGTH).writerIndex(header + HEADER_LENGTH);
        return header;
    }

    private void sealArray(ByteBuf chunk, int header, FrameKind kind, int flags, int rawLength) {
        int body = header + HEADER_LENGTH;
        int wireLength = chunk.writerIndex() - body;
        crc.reset();
        crc.update(chunk.array(), chunk.arrayOffset() + body, wireLength);
        writeHeader(chunk, header, kind, flags, wireLength, rawLength, (int) crc.getValue());
    }

    private void writeHeader(
            ByteBuf chunk, int header, FrameKind kind, int flags, int wireLength, int rawLength, int bodyCrc) {
        byte[] array = chunk.array();
        int at = chunk.arrayOffset() + header;
        int sequence = (int) totals.frames();
        writeHeader(crc, array, at, kind.code(), flags, sequence, streamId, wireLength, rawLength, bodyCrc);
        totals.add(kind.code(), wireLength, rawLength, bodyCrc);
    }

    private static void writeHeader(
            CRC32C crc,
            byte[] array,
            int at,
            int kind,
            int flags,
            int sequence,
            long streamId,
            int wireLength,
            int rawLength,
            int bodyCrc) {
        array[at + KIND_OFFSET] = (byte) kind;
        array[at + MUST_UNDERSTAND_OFFSET] = (byte) flags;
        array[at + IGNORABLE_OFFSET] = 0;
        array[at + RESERVED_OFFSET] = 0;
        FrameHeader.INT.set(array, at + SEQUENCE_OFFSET, sequence);
        FrameHeader.LONG.set(array, at + STREAM_ID_OFFSET, streamId);
        FrameHeader.INT.set(array, at + WIRE_LENGTH_OFFSET, wireLength);
        FrameHeader.INT.set(array, at + RAW_LENGTH_OFFSET, rawLength);
        FrameHeader.INT.set(array, at + BODY_CRC_OFFSET, bodyCrc);
        FrameHeader.INT.set(array, at + HEADER_CRC_OFFSET, FrameHeader.checksum(crc, array, at));
    }
}
