// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Elements out of groups: where the group lies when that is one region, gathered when it straddles.
 *
 * <p><b>Ownership.</b> The buffer refers to a region while its group is read, which is looked at before each element.
 *
 * <p><b>Threads.</b> One at a time, who took it out of the pool.
 */
final class GroupReader {

    private static final byte[] NONE = {};

    /** Fory's flag, in an element's first byte. */
    private static final int OUT_OF_BAND = 2;

    /** A group of so many bytes is gathered whatever one element may take: it may be many. */
    static final int GATHERED_BYTES = WireInput.AHEAD_MAX / 2;

    private final Fory fory;
    private final MemoryBuffer buffer;
    private final Scratch.Kept scratch;

    /** Whether nothing that was read refers to the memory that it was read from. */
    private final boolean detaching;

    /** Where the group lies, and how far into the region it begins; none when it was gathered. */
    private byte[] region = NONE;

    private int base;

    /** Where in the group the next element is, and where the group ends. */
    private int at;

    private int end;

    /** The input's position behind a gathered group, and what it takes besides scratch. */
    private long behind;

    private int held;

    private int valueLimit;

    /** The class of the element before, and what it was looked at as. */
    private @Nullable Class<?> seen;

    private @Nullable Class<?> seenAs;

    private boolean threw;

    GroupReader(Fory fory, MemoryBuffer buffer, Scratch.Kept scratch, boolean detaching) {
        this.fory = fory;
        this.buffer = buffer;
        this.scratch = scratch;
        this.detaching = detaching;
    }

    /** Whether there is more of the group. */
    boolean inGroup() {
        return at != end;
    }

    /** The payload's next element. */
    @SuppressWarnings({"ReferenceEquality", "unchecked"}) // where it is; of a class that was looked at
    <T> @Nullable T read(Class<T> type, WireInput in) throws IOException {
        Object read;
        if (at == end) {
            read = readFirst(in);
        } else {
            if (region == NONE ? in.position() != behind : in.array() != region || in.offset() != base + at) {
                throw moved(in);
            }
            read = deserialize(null, in);
        }
        if (read != null && (read.getClass() != seen || type != seenAs)) {
            require(type, read, in);
        }
        return (T) read;
    }

    private void require(Class<?> type, Object read, WireInput in) throws IOException {
        if (!type.isInstance(read)) {
            throw malformed(read.getClass().getName() + " where " + type.getName() + " was expected", in);
        }
        seen = read.getClass();
        seenAs = type;
    }

    /** A group of one element. */
    <T> @Nullable T readOnly(Class<T> type, WireInput in) throws IOException {
        T read = read(type, in);
        requireEnd(in);
        return read;
    }

    private void begin(int head, WireInput in) throws IOException {
        int length = head & ~GroupWriter.BUFFERS_FOLLOW;
        if (length == 0 || in.exhausted()) {
            throw malformed(length == 0 ? "element of no bytes" : "payload ends inside an element", in);
        }
        valueLimit = in.valueLimit();
        if (detaching && head > 0 && length <= in.limit() - in.offset()) {
            region = in.array();
            base = in.offset();
            buffer.pointTo(region, base, length);
        } else {
            region = NONE;
            buffer.pointTo(gathered(length, head, in), 0, length);
            behind = in.position();
        }
        buffer.readerIndex(0);
        at = 0;
        end = length;
    }

    /** A copy of the group. */
    private byte[] gathered(int length, int head, WireInput in) throws IOException {
        boolean small = head > 0 && length <= GATHERED_BYTES;
        if (!small) {
            requireUnder(length, in);
        } else if (length > in.left()) {
            throw new ResultTooLargeException(
                    "group exceeds what the payload's limit leaves",
                    in.position() + in.left(),
                    in.position() + length,
                    in.position(),
                    in.resultId());
        }
        if (small && detaching) {
            byte[] gathered = scratch.atLeast(length);
            in.readBytes(gathered, 0, length);
            return gathered;
        }
        byte[] gathered;
        if (small) {
            gathered = new byte[length];
            in.readBytes(gathered, 0, length);
        } else {
            gathered = in.readByteArray(length);
        }
        held = length;
        scratch.total().hold(held);
        return gathered;
    }

    /** Only the first one of a group may be as Fory writes them with buffers, and only an only one has any. */
    private @Nullable Object readFirst(WireInput in) throws IOException {
        int head = in.readInt();
        begin(head, in);
        ArrivingBuffers buffers = null;
        if (head < 0 || (buffer.getByte(0) & OUT_OF_BAND) != 0) {
            buffers = new ArrivingBuffers(in, end, head < 0 ? in.readInt() : 0);
        }
        Object read = deserialize((buffer.getByte(0) & OUT_OF_BAND) != 0 ? buffers : null, in);
        if (head < 0) {
            requireEnd(in);
        }
        if (buffers != null && buffers.left() != 0) {
            throw malformed("element without " + buffers.left() + " of its buffers", in);
        }
        return read;
    }

    private @Nullable Object deserialize(@Nullable ArrivingBuffers buffers, WireInput in) throws IOException {
        Object read;
        try {
            read = buffers == null ? fory.deserialize(buffer) : fory.deserialize(buffer, () -> buffers);
        } catch (Throwable e) {
            threw = true;
            throw e;
        }
        int from = at;
        int to = buffer.readerIndex();
        if (to <= from || to > end) {
            throw malformed("element from " + from + " to " + to + " in a group of " + end + " bytes", in);
        }
        at = to;
        if (region != NONE) {
            in.commit(base + to);
        } else if (to == end) {
            release();
        }
        requireUnder(to - from, in);
        return read;
    }

    private void requireEnd(WireInput in) throws IOException {
        if (at != end) {
            throw malformed("element of " + end + " bytes, of which " + at + " were read", in);
        }
    }

    private void requireUnder(int length, WireInput in) throws IOException {
        if (length > valueLimit) {
            throw new ResultTooLargeException("element too large", valueLimit, length, in.position(), in.resultId());
        }
    }

    private static IOException moved(WireInput in) throws IOException {
        in.exhausted(); // tells by itself when the result is over
        return malformed("the input was used in the middle of a group", in);
    }

    private static MalformedDataException malformed(String reason, WireInput in) {
        return new MalformedDataException(reason, in.position(), in.resultId());
    }

    private void release() {
        if (held > 0) {
            scratch.total().hold(-held);
            held = 0;
            buffer.pointTo(NONE, 0, 0);
        }
    }

    /** Lets go of what is left of a group; false where Fory may have been left in the middle of something. */
    boolean rest() {
        release();
        region = NONE;
        at = 0;
        end = 0;
        seen = null;
        seenAs = null;
        return !threw;
    }
}
