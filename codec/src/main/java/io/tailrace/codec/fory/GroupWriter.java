// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;
import org.apache.fory.serializer.BufferCallback;
import org.apache.fory.serializer.BufferObject;
import org.jspecify.annotations.Nullable;

/**
 * Elements one behind the other in a region, committed as a group when it is full. One that grows out of the region, or would,
 * and one with buffers behind it is a group by itself.
 *
 * <p><b>Ownership.</b> A region is written to only while it is the output's, which is looked at before each element.
 *
 * <p><b>Threads.</b> One at a time, who took it out of the pool.
 */
final class GroupWriter {

    static final int BUFFERS_FOLLOW = 1 << 31;

    private static final int HEAD_BYTES = Integer.BYTES;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] NONE = {};

    /** As a power of two, the part of a region that may stay unused rather than that an element goes through scratch. */
    private static final int UNUSED_SHIFT = 4;

    private final Fory fory;
    private final MemoryBuffer buffer;
    private final Scratch.Kept scratch;
    private final int elementLimit;
    private final BufferCallback asked = this::staysInBand;
    private final List<BufferObject> behind = new ArrayList<>();

    /** Where the buffer is pointed and a group is open; none while an element begins in scratch. */
    private byte[] region = NONE;

    /** Where the group begins, where its last whole element ends, and how far the region goes. */
    private int from;

    private int end;
    private int limit;

    /** The most that a region of the result had. */
    private int roomiest;

    /** What an element takes, at most, in view of those before, and what must be free for it. */
    private int likely;

    private int room;

    /** What Fory is known to ask for besides what it writes then. */
    private int spare = 32;

    /** Whether a result has big arrays. Fory writes all arrays otherwise then, and reads them slower. */
    private boolean asking;

    /** Whether there was one before, and what was written of the element is void. */
    private boolean unasked;

    /** Whether Fory threw something, and may have been left in the middle of it. */
    private boolean threw;

    GroupWriter(Fory fory, MemoryBuffer buffer, Scratch.Kept scratch, int elementLimit) {
        this.fory = fory;
        this.buffer = buffer;
        this.scratch = scratch;
        this.elementLimit = elementLimit;
    }

    private boolean staysInBand(BufferObject body) {
        if (body.totalBytes() < ArraySerializer.BIG_BYTES) {
            return true;
        }
        behind.add(body);
        return false;
    }

    /** Tells of a big array that nobody asked for. */
    void unasked() {
        unasked = true;
    }

    @SuppressWarnings("ReferenceEquality") // where it is
    void write(@Nullable Object element, WireOutput out) throws IOException {
        if (limit - end < room || out.array() != region || out.offset() != from) {
            begin(out);
        }
        serialize(element);
        if (unasked) {
            unasked = false;
            asking = true;
            begin(out);
            serialize(element);
        }
        int to = buffer.writerIndex();
        if (to - end > likely) {
            expect(to - end);
        }
        if (asking || buffer.getHeapMemory() != region) {
            close(to, out);
        } else {
            end = to;
        }
    }

    private void serialize(@Nullable Object element) {
        try {
            fory.serialize(buffer, element, asking ? asked : null);
        } catch (Throwable e) {
            threw = true;
            throw e;
        }
    }

    private void expect(int length) {
        likely = length;
        room = (int) Math.min(Integer.MAX_VALUE, (long) length + Math.max(length >> 2, spare));
    }

    private void begin(WireOutput out) throws IOException {
        finish(out);
        out.ensure(WireOutput.ENSURE_MAX);
        if (free(out) < room && room <= roomiest >> UNUSED_SHIFT) {
            out.next();
        }
        int free = free(out);
        roomiest = Math.max(roomiest, free);
        if (free < room) {
            end = 0;
            limit = 0;
            buffer.pointTo(scratch.array(), 0, scratch.array().length);
        } else {
            region = out.array();
            from = out.offset();
            end = from + HEAD_BYTES;
            limit = out.limit();
            buffer.pointTo(region, 0, limit);
        }
        buffer.writerIndex(end);
        expect(likely - (likely >> 3)); // a big one is forgotten with time
    }

    private static int free(WireOutput out) {
        return out.limit() - out.offset() - HEAD_BYTES;
    }

    /** Closes the group of whole elements, the last one aside, which is a group by itself up to {@code to}. */
    @SuppressWarnings("ReferenceEquality") // where it is
    private void close(int to, WireOutput out) throws IOException {
        int at = end;
        int length = to - at;
        int head = behind.isEmpty() ? length : length | BUFFERS_FOLLOW;
        if (region != NONE && buffer.getHeapMemory() == region) {
            end = to;
            commit(head, out);
        } else {
            if (length <= limit - at && spare < roomiest >> UNUSED_SHIFT) {
                spare <<= 1; // it would have fitted
            }
            finish(out);
            writeScratch(head, at, length, out);
        }
        if (head < 0) {
            writeBehind(out);
        }
    }

    /** Commits what is whole: elements are in the output from here on. */
    void finish(WireOutput out) {
        if (region != NONE && end > from + HEAD_BYTES) {
            commit(end - from - HEAD_BYTES, out);
        }
        region = NONE;
        limit = 0;
        end = 0;
    }

    /** The same after a failure, when the output may be another's already. */
    @SuppressWarnings("ReferenceEquality") // where it is
    void finishIfOpen(WireOutput out) {
        if (out.array() == region && out.offset() == from) {
            finish(out);
        }
    }

    @SuppressWarnings("ReferenceEquality") // where it is
    private void commit(int head, WireOutput out) {
        byte[] written = region;
        region = NONE;
        if (out.array() != written || out.offset() != from) {
            throw new IllegalStateException("the output was used while an element was asked for");
        }
        INT.set(written, from, head);
        out.commit(end);
    }

    private void writeScratch(int head, int at, int length, WireOutput out) throws IOException {
        int start = at;
        byte[] grown = buffer.getHeapMemory();
        if (!buffer.isHeapFullyWriteable()) { // an allocator of the caller's may take memory of another kind
            grown = buffer.getBytes(at, length);
            start = 0;
        }
        scratch.replace(grown);
        if (length > elementLimit) {
            throw new ResultTooLargeException(
                    "element too large for scratch", elementLimit, length, out.written(), out.resultId());
        }
        out.writeInt(head);
        out.writeBytes(grown, start, length);
        scratch.total().copy(length);
        scratch.shrink();
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
                scratch.total().hold(copy.size());
                scratch.total().copy(copy.size());
                try {
                    out.writeOutOfBand(copy.sliceAsByteBuffer(0, copy.size()));
                } finally {
                    scratch.total().hold(-copy.size());
                }
            }
        }
        behind.clear();
    }

    /** Lets go of the region; false where Fory may have been left in the middle of something. */
    boolean rest() {
        region = NONE;
        limit = 0;
        end = 0;
        roomiest = 0;
        asking = false;
        unasked = false;
        behind.clear();
        return !threw;
    }
}
