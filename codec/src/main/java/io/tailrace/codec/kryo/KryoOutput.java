// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.io.Output;
import io.tailrace.codec.elements.StringBytes;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a Kryo writes to: the region of a chunk itself, and the next one when it is full.
 *
 * <pre>
 *   buffer    ..........|committed|written by Kryo|free to write|..........
 *                                 ^out.offset()   ^position     ^capacity
 * </pre>
 *
 * <p>The bytes are those of Kryo's own {@link Output}. All its writes are here anew, for it asks whether something fits by
 * {@code capacity}, which is a place in the chunk's memory here. A number, a character and a text of up to 32 ASCII characters
 * lie in one region; text and arrays go on in the next.
 *
 * <p><b>Threads.</b> The encoding thread alone.
 *
 * <p>Longer than most classes here because it mirrors Kryo's.
 */
final class KryoOutput extends Output {

    static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** The top bits of eight bytes: none is set in ASCII. */
    static final long TOP_BITS = 0x8080_8080_8080_8080L;

    /** In each text of ASCII up to this length the last byte has its top bit set, and there is no length. */
    private static final int MARKED_CHARS = 32;

    private static final int MAX_INT_BYTES = 5;
    private static final int MAX_LONG_BYTES = 9;
    private static final int MAX_CHAR_BYTES = 3;
    private static final byte[] NO_REGION = {};

    private final WireOutput out;
    private final long before;
    private boolean ended;

    KryoOutput(WireOutput out) {
        this.out = out;
        this.before = out.written();
        region();
    }

    private void region() {
        buffer = out.array();
        position = out.offset();
        capacity = out.limit();
        maxCapacity = capacity;
    }

    /** Gives up the region if it has less room than that. */
    private void refill(int room) {
        if (ended) {
            throw new KryoException("written to behind the end of the value");
        }
        try {
            out.commit(position);
            out.ensure(room);
        } catch (IOException e) {
            throw new KryoException(e);
        } finally {
            region();
        }
    }

    private void room(int bytes) {
        if (capacity - position < bytes) {
            refill(bytes);
        }
    }

    @Override
    protected boolean require(int required) {
        if (capacity - position >= required) {
            return false;
        }
        refill(required);
        return true;
    }

    /** Commits what is written, also by a write that was broken off; what comes later is refused. */
    void detach() {
        if (ended) {
            return;
        }
        ended = true;
        if (buffer == out.array() && position >= out.offset() && position <= out.limit()) {
            out.commit(position);
        }
        total = out.written() - before;
        buffer = NO_REGION;
        position = 0;
        capacity = 0;
    }

    @Override
    public long total() {
        return ended ? total : out.written() - before + (position - out.offset());
    }

    /** Commits; the region goes on, or an object stream that flushes after each object would send a chunk for each. */
    @Override
    public void flush() {
        if (!ended) {
            out.commit(position);
        }
    }

    @Override
    public void close() {
        flush();
    }

    /** Within what is not committed and what is free. */
    @Override
    public void setPosition(int position) {
        Objects.checkIndex(position - out.offset(), capacity - out.offset() + 1);
        this.position = position;
    }

    private static UnsupportedOperationException notOurs() {
        return new UnsupportedOperationException("the memory is the chunk's, and what is written there may be gone");
    }

    @Override
    public void reset() {
        throw notOurs();
    }

    @Override
    public byte[] toBytes() {
        throw notOurs();
    }

    @Override
    public void setBuffer(byte[] buffer) {
        throw notOurs();
    }

    @Override
    public void setBuffer(byte[] buffer, int maxBufferSize) {
        throw notOurs();
    }

    @Override
    public void setOutputStream(OutputStream outputStream) {
        throw notOurs();
    }

    @Override
    public void write(int value) {
        writeByte(value);
    }

    @Override
    public void write(byte[] bytes) {
        writeBytes(bytes, 0, bytes.length);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        writeBytes(bytes, offset, length);
    }

    @Override
    public void writeByte(byte value) {
        writeByte((int) value);
    }

    @Override
    public void writeByte(int value) {
        if (position == capacity) {
            refill(1);
        }
        buffer[position++] = (byte) value;
    }

    @Override
    public void writeBytes(byte[] bytes) {
        writeBytes(bytes, 0, bytes.length);
    }

    @Override
    public void writeBytes(byte[] bytes, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        int at = offset;
        int left = count;
        while (left > capacity - position) {
            int run = capacity - position;
            System.arraycopy(bytes, at, buffer, position, run);
            position += run;
            at += run;
            left -= run;
            refill(1);
        }
        System.arraycopy(bytes, at, buffer, position, left);
        position += left;
    }

    /** The low bytes, the highest of them first. */
    @Override
    public void writeInt(int bytes, int count) {
        Objects.checkIndex(count, Integer.BYTES + 1);
        highFirst(bytes, count);
    }

    @Override
    public void writeLong(long bytes, int count) {
        Objects.checkIndex(count, Long.BYTES + 1);
        highFirst(bytes, count);
    }

    private void highFirst(long bytes, int count) {
        room(count);
        for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
            buffer[position++] = (byte) (bytes >> shift);
        }
    }

    @Override
    public void writeInt(int value) {
        room(Integer.BYTES);
        INTS.set(buffer, position, value);
        position += Integer.BYTES;
    }

    @Override
    public int writeInt(int value, boolean optimizePositive) {
        if (varEncoding) {
            return writeVarInt(value, optimizePositive);
        }
        writeInt(value);
        return Integer.BYTES;
    }

    @Override
    public int writeVarInt(int value, boolean optimizePositive) {
        int bits = optimizePositive ? value : (value << 1) ^ (value >> 31);
        if (bits >>> 7 == 0) {
            writeByte(bits);
            return 1;
        }
        if (capacity - position >= Long.BYTES) {
            return spread(bits & 0xFFFF_FFFFL);
        }
        return oneByOne(bits & 0xFFFF_FFFFL, varIntLength(bits, true));
    }

    /** Seven bits a byte, eight bytes stored of which some count; of at most 56 bits, more than seven of them used. */
    private int spread(long bits) {
        int length = (Long.SIZE + 6 - Long.numberOfLeadingZeros(bits)) / 7;
        long x = (bits & 0x0FFF_FFFFL) | (bits & 0x00FF_FFFF_F000_0000L) << 4;
        x = (x & 0x0000_3FFF_0000_3FFFL) | (x & 0x0FFF_C000_0FFF_C000L) << 2;
        x = (x & 0x007F_007F_007F_007FL) | (x & 0x3F80_3F80_3F80_3F80L) << 1;
        LONGS.set(buffer, position, x | TOP_BITS >>> (8 * (9 - length)));
        position += length;
        return length;
    }

    private int oneByOne(long bits, int length) {
        room(length);
        long rest = bits;
        for (int i = 1; i < length; i++) {
            buffer[position++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        buffer[position++] = (byte) rest;
        return length;
    }

    /** As {@link #writeVarInt}, with the flag on top of the first byte and six bits below "more follow". */
    @Override
    public int writeVarIntFlag(boolean flag, int value, boolean optimizePositive) {
        int bits = optimizePositive ? value : (value << 1) ^ (value >> 31);
        int first = (bits & 0x3F) | (flag ? 0x80 : 0);
        int rest = bits >>> 6;
        room(MAX_INT_BYTES);
        if (rest == 0) {
            buffer[position++] = (byte) first;
            return 1;
        }
        buffer[position++] = (byte) (first | 0x40);
        return 1 + oneByOne(rest, varIntLength(rest, true));
    }

    @Override
    public void writeLong(long value) {
        room(Long.BYTES);
        LONGS.set(buffer, position, value);
        position += Long.BYTES;
    }

    @Override
    public int writeLong(long value, boolean optimizePositive) {
        if (varEncoding) {
            return writeVarLong(value, optimizePositive);
        }
        writeLong(value);
        return Long.BYTES;
    }

    @Override
    public int writeVarLong(long value, boolean optimizePositive) {
        long bits = optimizePositive ? value : (value << 1) ^ (value >> 63);
        if (bits >>> 7 == 0) {
            writeByte((int) bits);
            return 1;
        }
        if (capacity - position < MAX_LONG_BYTES) {
            return oneByOne(bits, varLongLength(bits, true));
        }
        if (bits >>> 56 == 0) {
            return spread(bits);
        }
        int at = position;
        spread((bits & 0x00FF_FFFF_FFFF_FFFFL) | 1L << 55);
        buffer[at + 7] = (byte) (bits >>> 49 | 0x80);
        buffer[at + 8] = (byte) (bits >>> 56);
        position = at + MAX_LONG_BYTES;
        return MAX_LONG_BYTES;
    }

    @Override
    public void writeFloat(float value) {
        writeInt(Float.floatToIntBits(value));
    }

    @Override
    public int writeVarFloat(float value, float precision, boolean optimizePositive) {
        return writeVarInt((int) (value * precision), optimizePositive);
    }

    @Override
    public void writeDouble(double value) {
        writeLong(Double.doubleToLongBits(value));
    }

    @Override
    public int writeVarDouble(double value, double precision, boolean optimizePositive) {
        return writeVarLong((long) (value * precision), optimizePositive);
    }

    @Override
    public void writeShort(int value) {
        room(Short.BYTES);
        SHORTS.set(buffer, position, (short) value);
        position += Short.BYTES;
    }

    @Override
    public void writeChar(char value) {
        writeShort(value);
    }

    @Override
    public void writeBoolean(boolean value) {
        writeByte(value ? 1 : 0);
    }

    @Override
    public void writeString(@Nullable String value) {
        int length = value == null ? -1 : value.length();
        if (value == null || length == 0) {
            writeByte(0x81 + length);
        } else if (length == 1 || length > MARKED_CHARS) {
            writeVarIntFlag(true, length + 1, true);
            writeChars(value, length);
        } else {
            room(MARKED_CHARS);
            if (StringBytes.OPEN ? putInPlace(value, length) : putPublic(value, length)) {
                position += length;
                buffer[position - 1] |= (byte) 0x80;
            } else {
                writeVarIntFlag(true, length + 1, true);
                writeWide(value, 0, length);
            }
        }
    }

    /** Puts 2 to 32 characters; false, with nothing put that counts, if they are not ASCII. */
    private boolean putInPlace(String value, int length) {
        if (!StringBytes.isLatin1(value)) {
            return false;
        }
        byte[] chars = StringBytes.of(value);
        System.arraycopy(chars, 0, buffer, position, length);
        return isAscii(chars, 0, length);
    }

    private boolean putPublic(String value, int length) {
        byte[] region = buffer;
        int at = position;
        int all = 0;
        for (int i = 0; i < length; i++) {
            char c = value.charAt(i);
            all |= c;
            region[at + i] = (byte) c;
        }
        return all < 0x80;
    }

    static boolean isAscii(byte[] bytes, int from, int length) {
        int end = from + length;
        if (length >= Long.BYTES) {
            long all = (long) LONGS.get(bytes, end - Long.BYTES);
            for (int at = from; at < end - Long.BYTES; at += Long.BYTES) {
                all |= (long) LONGS.get(bytes, at);
            }
            return (all & TOP_BITS) == 0;
        }
        if (length >= Integer.BYTES) {
            int both = (int) INTS.get(bytes, from) | (int) INTS.get(bytes, end - Integer.BYTES);
            return (both & (int) TOP_BITS) == 0;
        }
        int all = 0;
        for (int at = from; at < end; at++) {
            all |= bytes[at];
        }
        return all >= 0;
    }

    private void writeChars(String value, int length) {
        if (StringBytes.OPEN && StringBytes.isLatin1(value)) {
            byte[] chars = StringBytes.of(value);
            if (isAscii(chars, 0, length)) {
                writeBytes(chars, 0, length);
                return;
            }
        }
        writeWide(value, 0, length);
    }

    /** One to three bytes a char, a surrogate by itself: neither UTF-8 nor refused, but what Kryo reads. */
    private void writeWide(String value, int from, int to) {
        int at = from;
        while (at < to) {
            room(MAX_CHAR_BYTES);
            int run = Math.min(to - at, (capacity - position) / MAX_CHAR_BYTES);
            position = putWide(value, at, at + run, buffer, position);
            at += run;
        }
    }

    private static int putWide(String value, int from, int to, byte[] region, int start) {
        int at = start;
        for (int i = from; i < to; i++) {
            char c = value.charAt(i);
            if (c < 0x80) {
                region[at++] = (byte) c;
            } else if (c < 0x800) {
                region[at++] = (byte) (0xC0 | c >> 6);
                region[at++] = (byte) (0x80 | (c & 0x3F));
            } else {
                region[at++] = (byte) (0xE0 | c >> 12);
                region[at++] = (byte) (0x80 | (c >> 6 & 0x3F));
                region[at++] = (byte) (0x80 | (c & 0x3F));
            }
        }
        return at;
    }

    /** The low byte of each character, for the caller says that they are ASCII. */
    @Override
    @SuppressWarnings("deprecation") // String.getBytes of low bytes is what is wanted
    public void writeAscii(@Nullable String value) {
        int length = value == null ? -1 : value.length();
        if (value == null || length == 0) {
            writeByte(0x81 + length);
            return;
        }
        if (length == 1) {
            writeByte(0x80 | 2);
            writeByte(value.charAt(0));
            return;
        }
        int at = 0;
        while (at < length) {
            room(1);
            int run = Math.min(length - at, capacity - position);
            value.getBytes(at, at + run, buffer, position);
            position += run;
            at += run;
        }
        buffer[position - 1] |= (byte) 0x80;
    }

    /** How many of the elements left go in the region, which has room for one. */
    private int run(int left, int width) {
        room(width);
        return Math.min(left, (capacity - position) / width);
    }

    /** Something that writes elements to the payload by itself. */
    private interface Bulk {
        void to(WireOutput out) throws IOException;
    }

    private void bulk(Bulk elements) {
        refill(0);
        try {
            elements.to(out);
        } catch (IOException e) {
            throw new KryoException(e);
        } finally {
            region();
        }
    }

    @Override
    public void writeInts(int[] array, int offset, int count) {
        bulk(to -> to.writeInts(array, offset, count));
    }

    @Override
    public void writeInts(int[] array, int offset, int count, boolean optimizePositive) {
        if (!varEncoding) {
            writeInts(array, offset, count);
            return;
        }
        for (int i = offset; i < offset + count; i++) {
            writeVarInt(array[i], optimizePositive);
        }
    }

    @Override
    public void writeLongs(long[] array, int offset, int count) {
        bulk(to -> to.writeLongs(array, offset, count));
    }

    @Override
    public void writeLongs(long[] array, int offset, int count, boolean optimizePositive) {
        if (!varEncoding) {
            writeLongs(array, offset, count);
            return;
        }
        for (int i = offset; i < offset + count; i++) {
            writeVarLong(array[i], optimizePositive);
        }
    }

    /** Not in bulk: Kryo makes all NaNs one. */
    @Override
    public void writeFloats(float[] array, int offset, int count) {
        int at = offset;
        int end = offset + count;
        while (at < end) {
            int stop = at + run(end - at, Float.BYTES);
            byte[] region = buffer;
            int to = position;
            for (; at < stop; at++, to += Float.BYTES) {
                INTS.set(region, to, Float.floatToIntBits(array[at]));
            }
            position = to;
        }
    }

    @Override
    public void writeDoubles(double[] array, int offset, int count) {
        int at = offset;
        int end = offset + count;
        while (at < end) {
            int stop = at + run(end - at, Double.BYTES);
            byte[] region = buffer;
            int to = position;
            for (; at < stop; at++, to += Double.BYTES) {
                LONGS.set(region, to, Double.doubleToLongBits(array[at]));
            }
            position = to;
        }
    }

    @Override
    public void writeShorts(short[] array, int offset, int count) {
        bulk(to -> to.writeShorts(array, offset, count));
    }

    @Override
    public void writeChars(char[] array, int offset, int count) {
        bulk(to -> to.writeChars(array, offset, count));
    }

    @Override
    public void writeBooleans(boolean[] array, int offset, int count) {
        bulk(to -> to.writeBooleans(array, offset, count));
    }
}
