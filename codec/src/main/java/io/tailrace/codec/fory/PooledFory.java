// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.apache.fory.Fory;
import org.apache.fory.exception.ForyException;
import org.apache.fory.memory.MemoryBuffer;
import org.apache.fory.serializer.BufferCallback;
import org.apache.fory.serializer.BufferObject;
import org.jspecify.annotations.Nullable;

/**
 * A Fory and a buffer of its kind, which is pointed at where an element goes or lies.
 *
 * <p><b>Ownership.</b> The buffer refers to a chunk's memory while an element is written or read, and is used for nothing else;
 * at rest it refers to none.
 *
 * <p><b>Threads.</b> One at a time, who took it out of the pool.
 */
final class PooledFory {

    private static final byte[] NONE = {};
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int BUFFERS_FOLLOW = 1 << 31;

    /** Fory's flag, in an element's first byte. */
    private static final int OUT_OF_BAND = 2;

    /** Scratch that grew beyond is not kept. */
    private static final int KEPT_BYTES = 1 << 20;

    private final Fory fory;
    private final boolean inPlace;
    private final Scratch counted;
    private final int elementLimit;
    private final @Nullable BufferCallback asked;

    private final MemoryBuffer buffer = MemoryBuffer.fromByteArray(NONE);
    private final List<BufferObject> behind = new ArrayList<>();
    private byte[] scratch = NONE;

    /** What an element takes, at most, in view of those before: where there is less room it begins in scratch. */
    private int likely;

    /** Whether Fory has begun something and not ended it. */
    private boolean inside;

    PooledFory(Fory fory, Scratch counted, int elementLimit, boolean outOfBand) {
        this.fory = fory;
        this.counted = counted;
        this.elementLimit = elementLimit;
        this.asked = outOfBand ? this::staysInBand : null;
        this.inPlace = ArraySerializer.replaceFor(fory);
    }

    private boolean staysInBand(BufferObject body) {
        if (body.totalBytes() < ArraySerializer.BIG_BYTES) {
            return true;
        }
        behind.add(body);
        return false;
    }

    void write(@Nullable Object element, WireOutput out) throws IOException {
        out.ensure(WireOutput.ENSURE_MAX);
        byte[] region = out.array();
        int from = out.offset();
        int room = out.limit() - from - Integer.BYTES;
        if (room - likely >= likely >> 2) {
            buffer.pointTo(region, from + Integer.BYTES, room);
        } else {
            buffer.pointTo(scratch, 0, scratch.length);
        }
        buffer.writerIndex(0);
        inside = true;
        fory.serialize(buffer, element, asked);
        inside = false;
        int length = buffer.writerIndex();
        likely = Math.max(length, likely - (likely >> 6));
        int head = behind.isEmpty() ? length : length | BUFFERS_FOLLOW;
        if (isAt(region)) {
            INT.set(region, from, head);
            out.commit(from + Integer.BYTES + length);
        } else {
            writeScratch(head, length, out);
        }
        if (head < 0) {
            writeBehind(out);
        }
    }

    @SuppressWarnings("ReferenceEquality") // where it is
    private boolean isAt(byte[] array) {
        return buffer.getHeapMemory() == array;
    }

    private void writeScratch(int head, int length, WireOutput out) throws IOException {
        if (!isAt(scratch)) {
            // An allocator of the caller's may take memory of another kind.
            byte[] grown = buffer.isHeapFullyWriteable() ? buffer.getHeapMemory() : buffer.getBytes(0, length);
            counted.hold(grown.length - scratch.length);
            scratch = grown;
        }
        if (length > elementLimit) {
            throw new ResultTooLargeException(
                    "element too large for scratch", elementLimit, length, out.written(), out.resultId());
        }
        out.writeInt(head);
        out.writeBytes(scratch, 0, length);
        counted.copy(length);
        shrink();
    }

    private void shrink() {
        if (scratch.length > KEPT_BYTES) {
            counted.hold(-scratch.length);
            scratch = NONE;
        }
    }

    private void writeBehind(WireOutput out) throws IOException {
        out.writeInt(behind.size());
        for (BufferObject body : behind) {
            out.writeInt(body.totalBytes());
            if (body instanceof ArraySerializer.Big big) {
                big.writeTo(out);
            } else {
                // Fory copies, once; the copy is sent as it is, and nobody else knows it.
                MemoryBuffer copy = body.toBuffer();
                counted.hold(copy.size());
                counted.copy(copy.size());
                try {
                    out.writeOutOfBand(copy.sliceAsByteBuffer(0, copy.size()));
                } finally {
                    counted.hold(-copy.size());
                }
            }
        }
        behind.clear();
    }

    <T> @Nullable T read(Class<T> type, WireInput in) throws IOException {
        int head = in.readInt();
        int length = head & ~BUFFERS_FOLLOW;
        if (length == 0 || in.exhausted()) {
            throw malformed(length == 0 ? "element of no bytes" : "payload ends inside an element", in);
        }
        requireUnder(length, in);
        Object read;
        if (inPlace && head > 0 && length <= in.limit() - in.offset()) {
            int from = in.offset();
            buffer.pointTo(in.array(), from, length);
            read = deserialize(length, 0, in);
            in.commit(from + length);
        } else {
            byte[] gathered = in.readByteArray(length);
            counted.hold(length);
            try {
                buffer.pointTo(gathered, 0, length);
                read = deserialize(length, head < 0 ? in.readInt() : 0, in);
            } finally {
                counted.hold(-length);
            }
        }
        if (read != null && !type.isInstance(read)) {
            throw malformed(read.getClass().getName() + " where " + type.getName() + " was expected", in);
        }
        return type.cast(read);
    }

    private @Nullable Object deserialize(int length, int count, WireInput in) throws IOException {
        boolean flagged = (buffer.getByte(0) & OUT_OF_BAND) != 0;
        ArrivingBuffers buffers = flagged ? new ArrivingBuffers(in, length, count) : null;
        buffer.readerIndex(0);
        inside = true;
        Object read = fory.deserialize(buffer, buffers == null ? null : () -> buffers);
        inside = false;
        if (buffer.readerIndex() != length) {
            throw malformed("element of " + length + " bytes, of which " + buffer.readerIndex() + " were read", in);
        }
        int left = buffers == null ? count : buffers.left();
        if (left != 0) {
            throw malformed("element without " + left + " of its buffers", in);
        }
        return read;
    }

    private static void requireUnder(int length, WireInput in) throws IOException {
        if (length > in.valueLimit()) {
            throw new ResultTooLargeException(
                    "element too large", in.valueLimit(), length, in.position(), in.resultId());
        }
    }

    private static MalformedDataException malformed(String reason, WireInput in) {
        return new MalformedDataException(reason, in.position(), in.resultId());
    }

    /** Lets go of all that is not its own; false where it may have been left in the middle of something. */
    boolean rest() {
        buffer.pointTo(NONE, 0, 0);
        behind.clear();
        shrink();
        return !inside;
    }

    void drop() {
        counted.hold(-scratch.length);
        scratch = NONE;
    }

    /** Without what Fory wraps it in, which would tell all objects read so far, each by its own toString. */
    static Throwable reason(Throwable thrown) {
        Throwable reason = thrown;
        while (reason instanceof ForyException && reason.getCause() != null) {
            reason = reason.getCause();
        }
        return reason;
    }
}
