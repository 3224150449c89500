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
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int BUFFERS_FOLLOW = 1 << 31;

    /** Fory's flag, in an element's first byte. */
    private static final int OUT_OF_BAND = 2;

    /** Scratch that grew beyond is not kept. */
    private static final int KEPT_BYTES = 1 << 20;

    private final Fory fory;
    private final boolean inPlace;
    private final Scratch counted;
    private final int elementLimit;

    private final MemoryBuffer buffer = MemoryBuffer.fromByteArray(NONE);
    private final BufferCallback asked = this::staysInBand;
    private final List<BufferObject> behind = new ArrayList<>();
    private byte[] scratch = NONE;

    /** The region that the buffer is pointed at, and how far it goes. */
    private byte[] region = NONE;

    private int limit;

    /** What an element takes, at most, in view of those before: where there is less room it begins in scratch. */
    private int likely;

    /** Whether a result has big arrays. Fory writes all arrays otherwise then, and reads them slower. */
    private boolean asking;

    /** Whether there was one before, and what was written of the element is void. */
    private boolean unasked;

    /** Whether Fory threw something, and may have been left in the middle of it. */
    private boolean threw;

    PooledFory(Fory fory, Scratch counted, int elementLimit, boolean outOfBand) {
        this.fory = fory;
        this.counted = counted;
        this.elementLimit = elementLimit;
        this.inPlace = ArraySerializer.replaceFor(fory, outOfBand ? () -> unasked = true : null);
    }

    private boolean staysInBand(BufferObject body) {
        if (body.totalBytes() < ArraySerializer.BIG_BYTES) {
            return true;
        }
        behind.add(body);
        return false;
    }

    @SuppressWarnings("ReferenceEquality") // where it is
    void write(@Nullable Object element, WireOutput out) throws IOException {
        out.ensure(WireOutput.ENSURE_MAX);
        if (out.array() != region || out.limit() != limit) {
            likely -= likely >> 3;
            pointAt(out);
        }
        int from = out.offset();
        int at = from + Integer.BYTES;
        if (limit - at - likely < likely >> 2) {
            region = NONE;
            buffer.pointTo(scratch, 0, scratch.length);
            at = 0;
        }
        int length = serialize(element, at);
        if (unasked) {
            asking = true;
            unasked = false;
            length = serialize(element, at);
        }
        if (length > likely) {
            likely = length;
        }
        int head = asking && !behind.isEmpty() ? length | BUFFERS_FOLLOW : length;
        if (region != NONE && buffer.getHeapMemory() == region) {
            INT.set(region, from, head);
            out.commit(at + length);
        } else {
            writeScratch(head, at, length, out);
        }
        if (head < 0) {
            writeBehind(out);
        }
    }

    private void pointAt(WireOutput out) {
        region = out.array();
        limit = out.limit();
        buffer.pointTo(region, 0, limit);
    }

    /** Returns how many bytes were written from {@code at} on, wherever the buffer is now. */
    private int serialize(@Nullable Object element, int at) {
        buffer.writerIndex(at);
        try {
            fory.serialize(buffer, element, asking ? asked : null);
        } catch (Throwable e) {
            threw = true;
            throw e;
        }
        return buffer.writerIndex() - at;
    }

    private void writeScratch(int head, int at, int length, WireOutput out) throws IOException {
        region = NONE;
        int from = at;
        byte[] grown = buffer.getHeapMemory();
        if (!buffer.isHeapFullyWriteable()) { // an allocator of the caller's may take memory of another kind
            grown = buffer.getBytes(at, length);
            from = 0;
        }
        counted.hold(grown.length - scratch.length);
        scratch = grown;
        if (length > elementLimit) {
            throw new ResultTooLargeException(
                    "element too large for scratch", elementLimit, length, out.written(), out.resultId());
        }
        out.writeInt(head);
        out.writeBytes(scratch, from, length);
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
            buffer.readerIndex(0);
            read = deserialize(length, 0, in);
            in.commit(from + length);
        } else {
            byte[] gathered = in.readByteArray(length);
            counted.hold(length);
            try {
                buffer.pointTo(gathered, 0, length);
                buffer.readerIndex(0);
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
        Object read;
        int left = count;
        try {
            if ((buffer.getByte(0) & OUT_OF_BAND) == 0) {
                read = fory.deserialize(buffer);
            } else {
                ArrivingBuffers buffers = new ArrivingBuffers(in, length, count);
                read = fory.deserialize(buffer, () -> buffers);
                left = buffers.left();
            }
        } catch (Throwable e) {
            threw = true;
            throw e;
        }
        if (buffer.readerIndex() != length) {
            throw malformed("element of " + length + " bytes, of which " + buffer.readerIndex() + " were read", in);
        }
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
        region = NONE;
        limit = 0;
        asking = false;
        behind.clear();
        shrink();
        return !threw;
    }

    void drop() {
        counted.hold(-scratch.length);
        scratch = NONE;
    }

    /**
     * Without what Fory wraps it in, which would tell all objects read so far, each by its own toString. Bytes that are broken
     * run into assertions of Fory's, and into classes that cannot be linked: such an Error is the value's too.
     */
    static Throwable reason(Throwable thrown) {
        Throwable reason = thrown;
        while (reason instanceof ForyException && reason.getCause() != null) {
            reason = reason.getCause();
        }
        return reason instanceof AssertionError || reason instanceof LinkageError
                ? new IllegalStateException(reason.toString(), reason)
                : reason;
    }
}
