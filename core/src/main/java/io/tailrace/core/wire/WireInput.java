// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The place where a codec reads a payload: a readable region of one buffer, and the next one when it is drained.
 *
 * <pre>
 *   array()   ..........|read so far|to read        |..........
 *                                   ^offset()       ^limit()
 * </pre>
 *
 * <p>Anything may straddle two regions or more. A codec that reads by itself takes bytes between {@link #offset()} and
 * {@link #limit()} of {@link #array()}, then calls {@link #commit}; after any other call it asks for all three anew.
 *
 * <p>What is read is not trusted. A payload that ends inside a value, a count below zero, an overlong varint and ill-formed
 * UTF-8 are {@link MalformedDataException}s; one text or array above the limit is a {@link ResultTooLargeException} before
 * anything is allocated for it. Below the limit at most 1 MiB is allocated ahead of the bytes that arrive, then twice what has
 * arrived.
 *
 * <p>Methods called {@code read…} copy; what {@link #borrowBytes} returns expires with the next call.
 *
 * <p><b>Ownership.</b> At most one buffer is held. It is forgotten first and given back to {@link Source} second, so when
 * that throws, the region is empty and nothing is held. {@link #take()} ends the region and gives the buffer to its caller.
 *
 * <p><b>Threads.</b> One thread at a time; nothing here is safe for two.
 *
 * <p>Longer than most classes here because it mirrors the primitive types.
 */
public final class WireInput {

    /** The most that may be taken ahead of the bytes that arrive, by arrays here and by what a codec makes room for. */
    public static final int AHEAD_MAX = 1 << 20;

    private static final byte[] NO_ARRAY = {};

    /** Who gives the next buffer. */
    public interface Source {

        /**
         * Takes the drained buffer and returns the next, which has an array and something to read; null at the payload's end.
         *
         * @param drained the buffer given up, its readerIndex behind the last byte read; null if there is none. Its receiver
         *     owns it, even when this throws
         */
        @Nullable
        ByteBuf next(@Nullable ByteBuf drained) throws IOException;
    }

    private final Source source;
    private final DecoderLimits limits;
    private final @Nullable ResultId resultId;

    private @Nullable ByteBuf buffer;
    private boolean ended;
    private byte[] array = NO_ARRAY;
    private int position;
    private int limit;

    /** Where the region began, and the bytes before that: position - start + before is what was read. */
    private int start;

    private long before;

    private final byte[] straddling = new byte[Long.BYTES];
    private int takenAhead;

    private @Nullable Throwable passedOn;

    private final BulkReader bulk = new BulkReader(this);
    private @Nullable WireInputStream stream;
    private @Nullable WireInputChannel channel;

    /**
     * Holds no buffer yet: the first read asks for one.
     *
     * @param limits of which the payload's is the most that comes here, and the value's the most of one text or array
     */
    public WireInput(Source source, DecoderLimits limits, @Nullable ResultId resultId) {
        this.source = Objects.requireNonNull(source, "source");
        this.limits = Objects.requireNonNull(limits, "limits");
        this.resultId = resultId;
    }

    /** The region's memory; empty when there is no region. */
    public byte[] array() {
        return array;
    }

    /** Where the next byte is. */
    public int offset() {
        return position;
    }

    /** Where the region ends. */
    public int limit() {
        return limit;
    }

    /** Tells that everything up to {@code newOffset} is read. */
    public void commit(int newOffset) {
        if (newOffset < position || newOffset > limit) {
            throw new IndexOutOfBoundsException(
                    "commit to " + newOffset + " outside the region from " + position + " to " + limit);
        }
        position = newOffset;
    }

    /** Gives up the drained region and begins the next, waiting for it if need be; false at the payload's end. */
    public boolean next() throws IOException {
        if (position != limit) {
            throw new IllegalStateException((limit - position) + " bytes of the region are not read yet");
        }
        StackRoom.require(); // a buffer given up and not given back yet would be lost
        while (!ended) {
            ByteBuf fresh;
            try {
                fresh = source.next(take());
            } catch (IOException | RuntimeException e) {
                passedOn = e;
                throw e;
            }
            if (fresh == null) {
                ended = true;
            } else {
                begin(fresh);
                if (position < limit) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether the payload ends here; waits for the next buffer when the region is drained. */
    public boolean exhausted() throws IOException {
        return position == limit && !next();
    }

    /** Payload bytes read so far. */
    public long position() {
        return before + (position - start);
    }

    /** Whether this came from {@link Source}, as it is: then it says nothing of what was read. */
    @SuppressWarnings("ReferenceEquality") // whether it is the one, not whether it is alike
    public boolean passedOn(@Nullable Throwable thrown) {
        return thrown != null && thrown == passedOn;
    }

    /** For a codec that reads by itself: the most that it may take for one text or array. */
    public int valueLimit() {
        return limits.valueBytes();
    }

    /** Payload bytes that may still come before its limit. */
    public long left() {
        return limits.payloadBytes() - position();
    }

    /**
     * Tells how many bytes a codec has made room for that have not arrived, of at most half of {@link #AHEAD_MAX}: arrays take
     * so much less.
     */
    public void takenAhead(int bytes) {
        takenAhead = Objects.checkIndex(bytes, AHEAD_MAX / 2 + 1);
    }

    /** Whose payload it is, for errors; null where nobody knows. */
    public @Nullable ResultId resultId() {
        return resultId;
    }

    /**
     * Ends the region and gives its buffer away, readerIndex behind the last byte read; null when there is none. For the owner
     * of the buffers, not for codecs.
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
        return taken.readerIndex(taken.readerIndex() + length);
    }

    private void begin(ByteBuf fresh) {
        buffer = fresh;
        array = fresh.array();
        start = fresh.arrayOffset() + fresh.readerIndex();
        position = start;
        limit = start + fresh.readableBytes();
    }

    private void require() throws IOException {
        if (exhausted()) {
            throw malformed("payload ends inside a value", position());
        }
    }

    /** The next bytes, which may straddle, in the scratch. */
    private byte[] gather(int length) throws IOException {
        for (int i = 0; i < length; i++) {
            straddling[i] = readByte();
        }
        return straddling;
    }

    MalformedDataException malformed(String reason, long offset) {
        return new MalformedDataException(reason, offset, resultId);
    }

    /**
     * Checks a count that came with the payload, and returns how many elements may be allocated before any of them has
     * arrived.
     */
    int claim(int count, int width) throws IOException {
        if (count < 0) {
            throw malformed("negative count " + count, position());
        }
        long bytes = (long) count * width;
        if (bytes > limits.valueBytes()) {
            throw new ResultTooLargeException("value too large", limits.valueBytes(), bytes, position(), resultId);
        }
        if (bytes > left()) {
            throw new ResultTooLargeException(
                    "value exceeds what its limit leaves",
                    limits.payloadBytes(),
                    position() + bytes,
                    position(),
                    resultId);
        }
        return Math.min(count, (AHEAD_MAX - takenAhead) / width);
    }

    public byte readByte() throws IOException {
        if (position == limit) {
            require();
        }
        return array[position++];
    }

    /** One byte, 1 or 0; any other is malformed. */
    public boolean readBoolean() throws IOException {
        byte value = readByte();
        if ((value & ~1) != 0) {
            throw malformed("boolean of value " + value, position() - 1);
        }
        return value != 0;
    }

    public short readShort() throws IOException {
        if (limit - position < Short.BYTES) {
            return LittleEndian.getShort(gather(Short.BYTES), 0);
        }
        short value = LittleEndian.getShort(array, position);
        position += Short.BYTES;
        return value;
    }

    public char readChar() throws IOException {
        return (char) readShort();
    }

    public int readInt() throws IOException {
        if (limit - position < Integer.BYTES) {
            return LittleEndian.getInt(gather(Integer.BYTES), 0);
        }
        int value = LittleEndian.getInt(array, position);
        position += Integer.BYTES;
        return value;
    }

    public long readLong() throws IOException {
        if (limit - position < Long.BYTES) {
            return LittleEndian.getLong(gather(Long.BYTES), 0);
        }
        long value = LittleEndian.getLong(array, position);
        position += Long.BYTES;
        return value;
    }

    public float readFloat() throws IOException {
        return Float.intBitsToFloat(readInt());
    }

    public double readDouble() throws IOException {
        return Double.longBitsToDouble(readLong());
    }

    /** LEB128 in its shortest form, at most 32 bits. */
    public int readVarInt() throws IOException {
        byte first = readByte();
        return first >= 0 ? first : (int) Varint.rest(this, first, Integer.SIZE);
    }

    /** LEB128 in its shortest form, at most 64 bits. */
    public long readVarLong() throws IOException {
        byte first = readByte();
        return first >= 0 ? first : Varint.rest(this, first, Long.SIZE);
    }

    public int readZigZagInt() throws IOException {
        int value = readVarInt();
        return (value >>> 1) ^ -(value & 1);
    }

    public long readZigZagLong() throws IOException {
        long value = readVarLong();
        return (value >>> 1) ^ -(value & 1);
    }

    /** A varint of the length in bytes, then UTF-8, of which every character is well-formed. */
    public String readUtf8() throws IOException {
        int length = readVarInt();
        claim(length, 1);
        if (length > limit - position) {
            long from = position();
            return text(bulk.bytes(length), 0, length, from);
        }
        String text = text(array, position, length, position());
        position += length;
        return text;
    }

    private String text(byte[] bytes, int from, int length, long offset) throws MalformedDataException {
        int wellFormed = Utf8.wellFormedEnd(bytes, from, from + length);
        if (wellFormed != from + length) {
            throw malformed("ill-formed UTF-8", offset + (wellFormed - from));
        }
        return Utf8.decode(bytes, from, length);
    }

    /** So many raw bytes, as a copy. */
    public byte[] readByteArray(int count) throws IOException {
        return bulk.bytes(count);
    }

    /** Fills the part of the array. */
    public void readBytes(byte[] target, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, target.length);
        int at = from;
        int left = length;
        while (left > limit - position) {
            int run = limit - position;
            System.arraycopy(array, position, target, at, run);
            position += run;
            at += run;
            left -= run;
            require();
        }
        System.arraycopy(array, position, target, at, left);
        position += left;
    }

    /** Fills the buffer from position to limit. */
    public void readBytes(ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            require();
            int run = Math.min(target.remaining(), limit - position);
            target.put(array, position, run);
            position += run;
        }
    }

    /**
     * So many raw bytes, little-endian: the chunk's own memory when they lie in one region, a copy when they straddle. They may
     * only be read, and only until the next call on this input.
     */
    public ByteBuffer borrowBytes(int count) throws IOException {
        claim(count, 1);
        if (count > 0) {
            require();
        }
        if (count > limit - position) {
            return ByteBuffer.wrap(bulk.bytes(count)).order(ByteOrder.LITTLE_ENDIAN);
        }
        ByteBuffer borrowed = ByteBuffer.wrap(array, position, count).slice().order(ByteOrder.LITTLE_ENDIAN);
        position += count;
        return borrowed;
    }

    /** Passes over so many bytes. */
    public void skip(long count) throws IOException {
        if (count < 0) {
            throw malformed("negative count " + count, position());
        }
        long left = count;
        while (left > 0) {
            require();
            int run = (int) Math.min(left, limit - position);
            position += run;
            left -= run;
        }
    }

    /** One byte each, 1 or 0. */
    public void readBooleans(boolean[] target, int from, int count) throws IOException {
        bulk.booleans(target, from, count);
    }

    public boolean[] readBooleans(int count) throws IOException {
        return bulk.booleans(count);
    }

    public void readShorts(short[] target, int from, int count) throws IOException {
        bulk.shorts(target, from, count);
    }

    public short[] readShorts(int count) throws IOException {
        return bulk.shorts(count);
    }

    public void readChars(char[] target, int from, int count) throws IOException {
        bulk.chars(target, from, count);
    }

    public char[] readChars(int count) throws IOException {
        return bulk.chars(count);
    }

    public void readInts(int[] target, int from, int count) throws IOException {
        bulk.ints(target, from, count);
    }

    public int[] readInts(int count) throws IOException {
        return bulk.ints(count);
    }

    public void readLongs(long[] target, int from, int count) throws IOException {
        bulk.longs(target, from, count);
    }

    public long[] readLongs(int count) throws IOException {
        return bulk.longs(count);
    }

    public void readFloats(float[] target, int from, int count) throws IOException {
        bulk.floats(target, from, count);
    }

    public float[] readFloats(int count) throws IOException {
        return bulk.floats(count);
    }

    public void readDoubles(double[] target, int from, int count) throws IOException {
        bulk.doubles(target, from, count);
    }

    public double[] readDoubles(int count) throws IOException {
        return bulk.doubles(count);
    }

    /** A view that reads here, to the payload's end. Closing it does nothing. */
    public InputStream asInputStream() {
        if (stream == null) {
            stream = new WireInputStream(this);
        }
        return stream;
    }

    /** A view that reads here, to the payload's end. Closing it does nothing: it stays open. */
    public ReadableByteChannel asChannel() {
        if (channel == null) {
            channel = new WireInputChannel(this);
        }
        return channel;
    }
}
