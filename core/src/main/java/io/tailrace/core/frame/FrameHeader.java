// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

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

    /** Whether the header's own checksum holds. */
    boolean intact() {
        return (int) INT.get(bytes, HEADER_CRC_OFFSET) == checksum(crc, bytes, 0);
    }

    public FrameKind kind() {
        return FrameKind.of(kindCode());
    }

    int kindCode() {
        return bytes[KIND_OFFSET] & 0xFF;
    }

    int mustUnderstandFlags() {
        return bytes[MUST_UNDERSTAND_OFFSET] & 0xFF;
    }

    boolean compressed() {
        return (mustUnderstandFlags() & COMPRESSED) != 0;
    }

    int reserved() {
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

    int bodyCrc() {
        return (int) INT.get(bytes, BODY_CRC_OFFSET);
    }

    static int checksum(CRC32C crc, byte[] array, int header) {
        crc.reset();
        crc.update(array, header, HEADER_CRC_OFFSET);
        return (int) crc.getValue();
    }
}
