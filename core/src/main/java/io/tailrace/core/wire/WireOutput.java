// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The place where a codec writes a payload: a writable region of one chunk, and the next one when it is full.
 *
 * <pre>
 *   array()   ....header room....|written so far|free to write|..tail room..
 *                                               ^offset()     ^limit()
 * </pre>
 *
 * <p>Numbers are little-endian and never straddle two regions: when the rest of a region is too small, it stays unused.
 * Byte runs, text and arrays go on in the next region. A codec that writes by itself puts bytes between {@link #offset()}
 * and {@link #limit()} of {@link #array()}, then calls {@link #commit}; after any other call it asks for all three anew.
 *
 * <p>When a write throws, how much of it was written is not defined; the result has failed. Only text that has no UTF-8
 * form is refused before the first of its bytes.
 *
 * <p><b>Ownership.</b> At most one buffer is held. It is forgotten first and handed to {@link Next} second, so when that
 * throws, the region is empty and nothing is held. {@link #take()} ends the region and gives the buffer to its caller.
 *
 * <p><b>Threads.</b> One thread at a time; nothing here is safe for two.
 *
 * <p>Longer than most classes here because it mirrors the primitive types.
 */
public final class WireOutput {

    /** The most that {@link #ensure} can be asked for, and the least that a fresh region holds. */
    public static final int ENSURE_MAX = 64;

    private static final byte[] NO_ARRAY = {};

    /** Who gives the next buffer. */
    public interface Next {

        /**
         * Takes the full buffer and returns a fresh one.
         *
         * @param written the buffer given up, its writerIndex behind the last byte written; null if there is none. Its
         *     receiver owns it, even when this throws
         * @return a buffer with an array; from its writerIndex to its capacity less the tail room it has at least
         *     {@link #ENSURE_MAX} bytes
         */
        ByteBuf next(@Nullable ByteBuf written) throws IOException;

        /**
         * Takes the buffer, sends it, then sends {@code body} from position to limit by reference, and returns a fresh
         * buffer. The body must not change until it is sent.
         *
         * @param owner of the body's memory, retained as long as any of it may be read; null if that lasts anyway
         */
        ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner)
                throws IOException;

        /** Waits until no body is read any more; nothing to do for who copies. */
        default void awaitSent() throws IOException {}

        /** Whether {@link #next} with no buffer would give memory that is held already, so that nothing changes hands. */
        default boolean atHand() {
            return false;
        }

        /** Whether {@link #nextAfter} is worth it for so many bytes; if not, they are copied. */
        boolean takesByReference(int length);
    }

    private final Next next;
    private final int tailRoom;
    private final @Nullable ResultId resultId;

    private @Nullable ByteBuf buffer;
    private byte[] array = NO_ARRAY;
    private int position;
    private int limit;

    /** Where the region began, and the bytes before that: position - start + before is what was written. */
    private int start;

    private long before;

    private @Nullable Throwable passedOn;

    private @Nullable BulkWriter bulk;
    private @Nullable TextWriter textWriter;
    private @Nullable WireOutputStream stream;
    private @Nullable WireOutputChannel channel;

    /** Holds no buffer yet: the first write asks for one. */
    public WireOutput(Next next, int tailRoom) {
        this(next, tailRoom, null);
    }

    /** The same of a result, for errors. */
    public WireOutput(Next next, int tailRoom, @Nullable ResultId resultId) {
        if (tailRoom < 0) {
            throw new IllegalArgumentException("negative tail room " + tailRoom);
        }
        this.next = Objects.requireNonNull(next, "next");
        this.tailRoom = tailRoom;
        this.resultId = resultId;
    }

    /** The region's memory; empty when there is no region. */
    public byte[] array() {
        return array;
    }

    /** Where the next byte goes. */
    public int offset() {
        return position;
    }

    /** Where the region ends. */
    public int limit() {
        return limit;
    }

    /** Tells that everything up to {@code newOffset} is written. */
    public void commit(int newOffset) {
        if (newOffset < position || newOffset > limit) {
            throw new IndexOutOfBoundsException(
                    "commit to " + newOffset + " outside the region from " + position + " to " + limit);
        }
        position = newOffset;
    }

    /** Gives up the region, even an empty one, and begins the next. */
    public void next() throws IOException {
        if (buffer != null || !next.atHand()) {
            StackRoom.require();
        }
        try {
            begin(next.next(take()));
        } catch (IOException | RuntimeException e) {
            passedOn = e;
            throw e;
        }
    }

    /** Makes the region hold at least {@code n} bytes, of at most {@link #ENSURE_MAX}. */
    public void ensure(int n) throws IOException {
        if (limit - position < n) {
            refill(n);
        }
    }

    /** Payload bytes so far. */
    public long written() {
        return before + (position - start);
    }

    /** Whether this came from {@link Next}, as it is: then it says nothing of what was written. */
    @SuppressWarnings("ReferenceEquality") // whether it is the one, not whether it is alike
    public boolean passedOn(@Nullable Throwable thrown) {
        return thrown != null && thrown == passedOn;
    }

    /** Whose payload it is, for errors; null where nobody knows. */
    public @Nullable ResultId resultId() {
        return resultId;
    }

    /**
     * Ends the region and gives its buffer away, writerIndex behind the last byte written; null when there is none. For the
     * owner of the buffers, not for codecs. Writing afterwards asks for a buffer again.
     */
    public @Nullable ByteBuf take() {
        ByteBuf taken = buffer;
        if (taken == null) {
            return null;
        }
        int length = position - start;
        buffer = null;
        array = NO_ARRAY;
        position = 0;
        limit = 0;
        start = 0;
        before += length;
        return taken.writerIndex(taken.writerIndex() + length);
    }

    private void begin(ByteBuf fresh) {
        buffer = fresh;
        array = fresh.array();
        start = fresh.arrayOffset() + fresh.writerIndex();
        position = start;
        limit = Math.max(start, fresh.arrayOffset() + fresh.capacity() - tailRoom);
    }

    private void refill(int n) throws IOException {
        if (n > ENSURE_MAX) {
            throw new IllegalArgumentException("at most " + ENSURE_MAX + " bytes can be ensured, not " + n);
        }
        next();
        if (limit - position < n) {
            throw new IllegalStateException("a fresh region of " + (limit - position) + " bytes, " + n + " needed");
        }
    }

    public void writeByte(int value) throws IOException {
        ensure(1);
        array[position++] = (byte) value;
    }

    /** One byte, 1 or 0. */
    public void writeBoolean(boolean value) throws IOException {
        writeByte(value ? 1 : 0);
    }

    public void writeShort(int value) throws IOException {
        ensure(Short.BYTES);
        LittleEndian.putShort(array, position, (short) value);
        position += Short.BYTES;
    }

    public void writeChar(char value) throws IOException {
        writeShort(value);
    }

    public void writeInt(int value) throws IOException {
        ensure(Integer.BYTES);
        LittleEndian.putInt(array, position, value);
        position += Integer.BYTES;
    }

    public void writeLong(long value) throws IOException {
        ensure(Long.BYTES);
        LittleEndian.putLong(array, position, value);
        position += Long.BYTES;
    }

    /** The bits as they are: a NaN keeps its payload. */
    public void writeFloat(float value) throws IOException {
        writeInt(Float.floatToRawIntBits(value));
    }

    /** The bits as they are: a NaN keeps its payload. */
    public void writeDouble(double value) throws IOException {
        writeLong(Double.doubleToRawLongBits(value));
    }

    /** LEB128 of the value as unsigned: 1 byte below 128, 5 bytes for a negative value. */
    public void writeVarInt(int value) throws IOException {
        writeVarLong(value & 0xFFFF_FFFFL);
    }

    /** LEB128 of the value as unsigned: 1 byte below 128, 10 bytes for a negative value. */
    public void writeVarLong(long value) throws IOException {
        if (limit - position < Varint.MAX_LONG_BYTES) {
            ensure(Varint.length(value));
        }
        position = Varint.put(array, position, value);
    }

    /** A varint that is short for small values of either sign: 0, -1, 1, -2 … are 0, 1, 2, 3 … */
    public void writeZigZagInt(int value) throws IOException {
        writeVarInt((value << 1) ^ (value >> 31));
    }

    /** A varint that is short for small values of either sign: 0, -1, 1, -2 … are 0, 1, 2, 3 … */
    public void writeZigZagLong(long value) throws IOException {
        writeVarLong((value << 1) ^ (value >> 63));
    }

    /**
     * The text's length in UTF-8 bytes as a varint, then those bytes. A surrogate without its partner has no UTF-8 form: such
     * text is refused, because a question mark in its place would be another value than the task returned.
     */
    public void writeUtf8(CharSequence text) throws IOException {
        if (text instanceof String string
                && string.length() <= Utf8.SHORT_CHARS
                && limit - position >= Utf8.SHORT_BYTES) {
            int end = Utf8.putShort(string, array, position);
            if (end >= 0) {
                position = end;
                return;
            }
        }
        writeStaged(text);
    }

    private void writeStaged(CharSequence text) throws IOException {
        if (textWriter == null) {
            textWriter = new TextWriter(this);
        }
        textWriter.write(text);
    }

    /** Raw bytes, without a length. */
    public void writeBytes(byte[] source, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, source.length);
        int at = from;
        int left = length;
        while (left > limit - position) {
            int run = limit - position;
            System.arraycopy(source, at, array, position, run);
            position += run;
            at += run;
            left -= run;
            refill(1);
        }
        System.arraycopy(source, at, array, position, left);
        position += left;
    }

    /** Raw bytes from position to limit, without a length; the position advances. */
    public void writeBytes(ByteBuffer source) throws IOException {
        while (source.hasRemaining()) {
            ensure(1);
            int run = Math.min(source.remaining(), limit - position);
            source.get(array, position, run);
            position += run;
        }
    }

    private BulkWriter bulk() {
        BulkWriter made = bulk;
        if (made == null) {
            made = new BulkWriter(this);
            bulk = made;
        }
        return made;
    }

    /** One byte each, 1 or 0, without a count; so the others: elements only. */
    public void writeBooleans(boolean[] source, int from, int count) throws IOException {
        bulk().booleans(source, from, count);
    }

    public void writeShorts(short[] source, int from, int count) throws IOException {
        bulk().shorts(source, from, count);
    }

    public void writeChars(char[] source, int from, int count) throws IOException {
        bulk().chars(source, from, count);
    }

    public void writeInts(int[] source, int from, int count) throws IOException {
        bulk().ints(source, from, count);
    }

    public void writeLongs(long[] source, int from, int count) throws IOException {
        bulk().longs(source, from, count);
    }

    public void writeFloats(float[] source, int from, int count) throws IOException {
        bulk().floats(source, from, count);
    }

    public void writeDoubles(double[] source, int from, int count) throws IOException {
        bulk().doubles(source, from, count);
    }

    /** As {@link #writeBytes(byte[], int, int)}, by reference when worth it: the bytes must not change until sent. */
    public void writeOutOfBand(byte[] source, int from, int length) throws IOException {
        if (length > 0 && next.takesByReference(length)) {
            giveByReference(ByteBuffer.wrap(source, from, length), null);
        } else {
            writeBytes(source, from, length);
        }
    }

    /** As {@link #writeBytes(ByteBuffer)}, by reference when worth it: the bytes must not change until sent. */
    public void writeOutOfBand(ByteBuffer source) throws IOException {
        writeOutOfBand(source, null);
    }

    /**
     * The same of memory that may be freed. Its owner is retained for as long as any byte of it may still be read, also when
     * the result fails, and released then on whichever thread that is; one that is copied from is not. The buffer itself is given
     * away with its owner: its limit must not change until then either.
     */
    public void writeOutOfBand(ByteBuffer source, @Nullable ReferenceCounted owner) throws IOException {
        if (source.hasRemaining() && next.takesByReference(source.remaining())) {
            // Without an owner the caller's position and limit are the caller's.
            giveByReference(owner == null ? source.duplicate() : source, owner);
            source.position(source.limit());
        } else {
            writeBytes(source);
        }
    }

    private void giveByReference(ByteBuffer body, @Nullable ReferenceCounted owner) throws IOException {
        int length = body.remaining();
        StackRoom.require();
        try {
            begin(next.nextAfter(take(), body, owner));
        } catch (IOException | RuntimeException e) {
            passedOn = e;
            throw e;
        }
        before += length;
    }

    /** Waits until nothing that went by reference is read any more: it may change now. */
    public void awaitSent() throws IOException {
        try {
            next.awaitSent();
        } catch (IOException | RuntimeException e) {
            passedOn = e;
            throw e;
        }
    }

    /** A view that writes here. Flushing and closing it do nothing. */
    public OutputStream asOutputStream() {
        if (stream == null) {
            stream = new WireOutputStream(this);
        }
        return stream;
    }

    /** A view that writes here and takes all bytes of each write. Closing it does nothing: it stays open. */
    public WritableByteChannel asChannel() {
        if (channel == null) {
            channel = new WireOutputChannel(this);
        }
        return channel;
    }
}
