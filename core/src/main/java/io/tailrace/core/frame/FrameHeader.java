// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A flyweight over the 32 header bytes of one frame; what stands there is believed only after {@link #intact}.
 */
public final class FrameHeader {

    static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes = new byte[HEADER_LENGTH];
    private final CRC32C crc = new CRC32C();

    byte[] bytes() {
        return bytes;
    }

    /** Takes the 32 bytes of a header as they came. */
    public void read(byte[] array, int from) {
        System.arraycopy(array, from, bytes, 0, HEADER_LENGTH);
    }

    /** Puts the 32 bytes into a chunk. */
    public void copyTo(ByteBuf chunk, int at) {
        System.arraycopy(bytes, 0, chunk.array(), chunk.arrayOffset() + at, HEADER_LENGTH);
    }

    /** Whether the header's own checksum holds. */
    public boolean intact() {
        return (int) INT.get(bytes, HEADER_CRC_OFFSET) == checksum(crc, bytes, 0);
    }

    public FrameKind kind() {
        return FrameKind.of(kindCode());
    }

    public int kindCode() {
        return bytes[KIND_OFFSET] & 0xFF;
    }

    public int mustUnderstandFlags() {
        return bytes[MUST_UNDERSTAND_OFFSET] & 0xFF;
    }

    boolean compressed() {
        return (mustUnderstandFlags() & COMPRESSED) != 0;
    }

    public int reserved() {
        return bytes[RESERVED_OFFSET] & 0xFF;
    }

    public long sequence() {
        return Integer.toUnsignedLong((int) INT.get(bytes, SEQUENCE_OFFSET));
    }

    public long streamId() {
        return (long) LONG.get(bytes, STREAM_ID_OFFSET);
    }

    public long wireLength() {
        return Integer.toUnsignedLong((int) INT.get(bytes, WIRE_LENGTH_OFFSET));
    }

    public long rawLength() {
        return Integer.toUnsignedLong((int) INT.get(bytes, RAW_LENGTH_OFFSET));
    }

    public int bodyCrc() {
        return (int) INT.get(bytes, BODY_CRC_OFFSET);
    }

    /** The kind of a sealed frame, whose header is at {@code header}; so that chunks can be walked frame by frame. */
    public static FrameKind kind(byte[] array, int header) {
        return FrameKind.of(array[header + KIND_OFFSET] & 0xFF);
    }

    /** The stream id of a sealed frame. */
    public static long streamId(byte[] array, int header) {
        return (long) LONG.get(array, header + STREAM_ID_OFFSET);
    }

    /** How many bytes of body follow the header of a sealed frame. */
    public static int wireLength(byte[] array, int header) {
        return (int) INT.get(array, header + WIRE_LENGTH_OFFSET);
    }

    static int checksum(CRC32C crc, byte[] array, int header) {
        crc.reset();
        crc.update(array, header, HEADER_CRC_OFFSET);
        return (int) crc.getValue();
    }
}
