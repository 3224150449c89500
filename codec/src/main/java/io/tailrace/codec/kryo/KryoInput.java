// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.serializers.ClosureSerializer;
import com.esotericsoftware.kryo.kryo5.serializers.CollectionSerializer;
import com.esotericsoftware.kryo.kryo5.serializers.CompatibleFieldSerializer;
import com.esotericsoftware.kryo.kryo5.serializers.DefaultArraySerializers;
import com.esotericsoftware.kryo.kryo5.serializers.MapSerializer;
import io.tailrace.codec.elements.StringBytes;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a Kryo reads from: the region that has arrived, itself, and the next one when it is drained.
 *
 * <pre>
 *   buffer    ..........|committed|read by Kryo|to read|..........
 *                                 ^in.offset() ^position ^limit
 * </pre>
 *
 * <p>Anything may straddle two regions or more: a number is put together byte by byte there, a text in an array of its own; how
 * many bytes that were is counted. All of Kryo's own reads are here anew, for they keep hold of a buffer that never changes.
 *
 * <p><b>Lengths.</b> Text and arrays of primitives grow as they arrive. A collection, a map and an array of objects is made by
 * Kryo's serializers, at once, as long as the payload says it is: such a length is refused where all of them so far take more
 * than their limit, or that on one value, and what has arrived, at 8 bytes an element (a hash table may have 11). A length of at most 131,072 by
 * the depth of the object passes, and so do many of collections, as long as they come to no more than that and the bytes that
 * have arrived: elements that are all null take none.
 *
 * <p><b>Threads.</b> The decoding thread alone.
 *
 * <p>Longer than most classes here because it mirrors Kryo's.
 */
final class KryoInput extends Input {

    private static final int REFERENCE_BYTES = 8;

    /** The most of a length times its depth that nobody looks at. */
    private static final int FREE = WireInput.AHEAD_MAX / REFERENCE_BYTES;

    private static final int MAX_LONG_BYTES = 9;

    /** Those who make room for as many elements as they are told, of so many bytes; {@code readVarInt} has other callers. */
    private static final Map<Class<?>, Integer> MAKING_ROOM = Map.of(
            CollectionSerializer.class,
            REFERENCE_BYTES,
            MapSerializer.class,
            REFERENCE_BYTES,
            DefaultArraySerializers.ObjectArraySerializer.class,
            REFERENCE_BYTES,
            DefaultArraySerializers.StringArraySerializer.class,
            REFERENCE_BYTES,
            CompatibleFieldSerializer.class,
            REFERENCE_BYTES,
            ClosureSerializer.class,
            REFERENCE_BYTES,
            DefaultArraySerializers.BooleanArraySerializer.class,
            1);

    private static final StackWalker CALLERS = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private static final byte[] NO_REGION = {};

    /** A text that straddles begins with so much room, and so does one that is not ASCII. */
    private static final int STAGE = 64;

    private final WireInput in;
    private final Kryo kryo;
    private final long maxCollectionBytes;
    private final long before;
    private byte[] stage = NO_REGION;
    private long roomMade;
    private long lengthsPassed;
    private long pieced;

    KryoInput(WireInput in, Kryo kryo, long maxCollectionBytes) {
        this.in = in;
        this.kryo = kryo;
        this.maxCollectionBytes = maxCollectionBytes;
        this.before = in.position();
        region();
    }

    private void region() {
        buffer = in.array();
        position = in.offset();
        limit = in.limit();
        capacity = limit;
    }

    /** Begins where the input is now, which others may have read from. */
    void attach() {
        region();
    }

    /** Commits what is read, also by a read that was broken off. */
    void detach() {
        if (buffer == in.array() && position >= in.offset() && position <= in.limit()) {
            in.commit(position);
        }
        buffer = NO_REGION;
        position = 0;
        limit = 0;
        capacity = 0;
    }

    /** How many bytes were not read where they had arrived, because they straddled. */
    long pieced() {
        return pieced;
    }

    /** Whether there is a byte to read; takes the next region if need be. */
    private boolean more() {
        if (position != limit) {
            return true;
        }
        try {
            in.commit(position);
            return !in.exhausted();
        } catch (IOException e) {
            throw new KryoException(e);
        } finally {
            region();
        }
    }

    private void need() {
        if (!more()) {
            throw malformed("payload ends inside a value");
        }
    }

    private KryoException malformed(String reason) {
        return new KryoException(new MalformedDataException(reason, at(), in.resultId()));
    }

    private long at() {
        return in.position() + (position - in.offset());
    }

    @Override
    protected int require(int required) {
        if (limit - position < required) {
            need();
        }
        if (limit - position < required) {
            throw new KryoException(required + " bytes straddle two regions");
        }
        return limit - position;
    }

    @Override
    protected int optional(int optional) {
        return more() ? Math.min(optional, limit - position) : -1;
    }

    @Override
    public boolean end() {
        return !more();
    }

    /** There are bytes to read; a payload that ends inside a number is malformed, which is not for a reader to find out. */
    @Override
    public boolean canReadInt() {
        return more();
    }

    @Override
    public boolean canReadVarInt() {
        return more();
    }

    @Override
    public boolean canReadLong() {
        return more();
    }

    @Override
    public boolean canReadVarLong() {
        return more();
    }

    @Override
    public long total() {
        return at() - before;
    }

    /** Within what is not committed and what has arrived. */
    @Override
    public void setPosition(int position) {
        Objects.checkIndex(position - in.offset(), limit - in.offset() + 1);
        this.position = position;
    }

    private static UnsupportedOperationException notOurs() {
        return new UnsupportedOperationException("the memory is the chunk's, and what was read may be gone");
    }

    @Override
    public void reset() {
        throw notOurs();
    }

    @Override
    public void setBuffer(byte[] bytes) {
        throw notOurs();
    }

    @Override
    public void setBuffer(byte[] bytes, int offset, int count) {
        throw notOurs();
    }

    @Override
    public void setInputStream(InputStream inputStream) {
        throw notOurs();
    }

    @Override
    public void setLimit(int limit) {
        throw notOurs();
    }

    @Override
    public void setTotal(long total) {
        throw notOurs();
    }

    @Override
    public void close() {
        // The payload is not Kryo's to close.
    }

    @Override
    public int available() {
        return limit - position;
    }

    @Override
    public void skip(int count) {
        skip((long) count);
    }

    @Override
    public long skip(long count) {
        long left = count;
        while (left > 0) {
            need();
            int run = (int) Math.min(left, limit - position);
            position += run;
            left -= run;
        }
        return count;
    }

    @Override
    public int read() {
        return more() ? buffer[position++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] bytes) {
        return read(bytes, 0, bytes.length);
    }

    /** As many as there are up to the payload's end. */
    @Override
    public int read(byte[] bytes, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        int done = 0;
        while (done < count && more()) {
            int run = Math.min(count - done, limit - position);
            System.arraycopy(buffer, position, bytes, offset + done, run);
            position += run;
            done += run;
        }
        return done == 0 && count > 0 ? -1 : done;
    }

    @Override
    public byte readByte() {
        if (position == limit) {
            need();
        }
        return buffer[position++];
    }

    @Override
    public int readByteUnsigned() {
        return readByte() & 0xFF;
    }

    @Override
    public boolean readBoolean() {
        return readByte() == 1;
    }

    @Override
    public void readBytes(byte[] bytes) {
        readBytes(bytes, 0, bytes.length);
    }

    @Override
    public void readBytes(byte[] bytes, int offset, int count) {
        if (read(bytes, offset, count) < count) {
            throw malformed("payload ends inside a value");
        }
    }

    /** Of a number, lowest byte first; where it only begins the next region, at one go. */
    private long piece(int width) {
        if (position == limit) {
            need();
            if (limit - position >= Long.BYTES) {
                position += width;
                return (long) KryoOutput.LONGS.get(buffer, position - width);
            }
        }
        long value = 0;
        for (int shift = 0; shift < 8 * width; shift += 8) {
            value |= (readByte() & 0xFFL) << shift;
        }
        pieced += width;
        return value;
    }

    /** The highest byte first, its sign kept. */
    private long highFirst(int count) {
        long value = count == 0 ? 0 : readByte();
        for (int i = 1; i < count; i++) {
            value = value << 8 | (readByte() & 0xFF);
        }
        return value;
    }

    @Override
    public int readInt(int count) {
        return (int) highFirst(Objects.checkIndex(count, Integer.BYTES + 1));
    }

    @Override
    public long readLong(int count) {
        return highFirst(Objects.checkIndex(count, Long.BYTES + 1));
    }

    @Override
    public short readShort() {
        if (limit - position < Short.BYTES) {
            return (short) piece(Short.BYTES);
        }
        short value = (short) KryoOutput.SHORTS.get(buffer, position);
        position += Short.BYTES;
        return value;
    }

    @Override
    public int readShortUnsigned() {
        return readShort() & 0xFFFF;
    }

    @Override
    public char readChar() {
        return (char) readShort();
    }

    @Override
    public int readInt() {
        if (limit - position < Integer.BYTES) {
            return (int) piece(Integer.BYTES);
        }
        int value = (int) KryoOutput.INTS.get(buffer, position);
        position += Integer.BYTES;
        return value;
    }

    @Override
    public long readLong() {
        if (limit - position < Long.BYTES) {
            return piece(Long.BYTES);
        }
        long value = (long) KryoOutput.LONGS.get(buffer, position);
        position += Long.BYTES;
        return value;
    }

    @Override
    public float readFloat() {
        return Float.intBitsToFloat(readInt());
    }

    @Override
    public double readDouble() {
        return Double.longBitsToDouble(readLong());
    }

    @Override
    public float readVarFloat(float precision, boolean optimizePositive) {
        return integer((int) varint(Integer.SIZE), optimizePositive) / precision;
    }

    @Override
    public double readVarDouble(double precision, boolean optimizePositive) {
        return readVarLong(optimizePositive) / precision;
    }

    @Override
    public int readInt(boolean optimizePositive) {
        return varEncoding ? integer((int) varint(Integer.SIZE), optimizePositive) : readInt();
    }

    @Override
    public long readLong(boolean optimizePositive) {
        return varEncoding ? readVarLong(optimizePositive) : readLong();
    }

    private static int integer(int bits, boolean optimizePositive) {
        return optimizePositive ? bits : (bits >>> 1) ^ -(bits & 1);
    }

    @Override
    public int readVarInt(boolean optimizePositive) {
        int value = integer((int) varint(Integer.SIZE), optimizePositive);
        if (optimizePositive && isMuch(value)) {
            makeRoom(value, CALLERS.getCallerClass());
        }
        return value;
    }

    @Override
    public long readVarLong(boolean optimizePositive) {
        long bits = varint(Long.SIZE);
        return optimizePositive ? bits : (bits >>> 1) ^ -(bits & 1);
    }

    /** Seven bits a byte, and eight in the ninth. */
    private long varint(int bits) {
        int first = readByte();
        if (first >= 0) {
            return first;
        }
        long value = first & 0x7F;
        if (limit - position < MAX_LONG_BYTES) {
            for (int shift = 7; shift < Math.min(bits, 56); shift += 7) {
                int next = readByte();
                value |= (next & 0x7FL) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            return bits == Long.SIZE ? value | (long) readByte() << 56 : value;
        }
        byte[] region = buffer;
        int at = position;
        for (int shift = 7; shift < Math.min(bits, 56); shift += 7) {
            int next = region[at++];
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                position = at;
                return value;
            }
        }
        if (bits == Long.SIZE) {
            value |= (long) region[at++] << 56;
        }
        position = at;
        return value;
    }

    @Override
    public boolean readVarIntFlag() {
        if (position == limit) {
            need();
        }
        return buffer[position] < 0;
    }

    @Override
    public int readVarIntFlag(boolean optimizePositive) {
        int value = flagged(optimizePositive);
        if (optimizePositive && (isMuch(value) || areMuch(value))) {
            makeRoom(value, CALLERS.getCallerClass());
        }
        return value;
    }

    private int flagged(boolean optimizePositive) {
        int first = readByte();
        int bits = first & 0x3F;
        if ((first & 0x40) != 0) {
            bits |= (int) varint(Integer.SIZE) << 6;
        }
        return integer(bits, optimizePositive);
    }

    /** A number so large, as unsigned, that it matters whether it is a length: Kryo makes the largest int of the smallest. */
    private boolean isMuch(int value) {
        return (value & 0xFFFF_FFC0) != 0 && (value & 0xFFFF_FFFFL) * Math.max(1, kryo.getDepth()) > FREE;
    }

    /** With those that nobody looked at, each of which may have been of elements that take no bytes. */
    private boolean areMuch(int value) {
        lengthsPassed += value;
        return lengthsPassed > FREE + total();
    }

    private void makeRoom(int elements, Class<?> caller) {
        Integer width = MAKING_ROOM.get(caller);
        if (width == null) {
            return;
        }
        if (elements < 0) {
            throw malformed("negative count " + elements);
        }
        roomMade += (long) elements * width;
        long most = Math.min(in.valueLimit(), maxCollectionBytes) + REFERENCE_BYTES * total();
        if (roomMade > most) {
            throw new KryoException(
                    new ResultTooLargeException("collections too large", most, roomMade, at(), in.resultId()));
        }
        requireLeft(elements);
    }

    private void requireLeft(int bytes) {
        long left = in.left() - (position - in.offset());
        if (bytes > left) {
            long most = at() + left;
            throw new KryoException(new ResultTooLargeException(
                    "value exceeds what its limit leaves", most, at() + bytes, at(), in.resultId()));
        }
    }

    @Override
    @SuppressWarnings("NullAway") // Kryo's null
    public @Nullable String readString() {
        if (position == limit) {
            need();
        }
        if (buffer[position] >= 0) {
            return marked();
        }
        int chars = flagged(true) - 1;
        return chars < 0 ? noText(chars) : chars == 0 ? "" : text(chars);
    }

    private @Nullable String noText(int chars) {
        if (chars < -1) {
            throw malformed("negative count " + chars);
        }
        return null;
    }

    @Override
    @SuppressWarnings("NullAway") // Kryo's null
    public @Nullable StringBuilder readStringBuilder() {
        String text = readString();
        return text == null ? null : new StringBuilder(text);
    }

    /** ASCII up to the byte with its top bit set. */
    private String marked() {
        int end = markedEnd();
        if (end < 0) {
            return markedInPieces();
        }
        int from = position;
        int length = end - from;
        position = end;
        requireText(length);
        if (StringBytes.OPEN) {
            byte[] own = Arrays.copyOfRange(buffer, from, end);
            own[length - 1] &= 0x7F;
            return StringBytes.latin1(own);
        }
        if (stage.length < length) {
            stage = new byte[Math.max(STAGE, length)];
        }
        System.arraycopy(buffer, from, stage, 0, length);
        stage[length - 1] &= 0x7F;
        return new String(stage, 0, length, StandardCharsets.ISO_8859_1);
    }

    /** Where marked text ends in this region; -1 if it does not. */
    private int markedEnd() {
        byte[] region = buffer;
        int at = position;
        for (; limit - at >= Long.BYTES; at += Long.BYTES) {
            long marks = (long) KryoOutput.LONGS.get(region, at) & KryoOutput.TOP_BITS;
            if (marks != 0) {
                return at + (Long.numberOfTrailingZeros(marks) >>> 3) + 1;
            }
        }
        for (; at < limit; at++) {
            if (region[at] < 0) {
                return at + 1;
            }
        }
        return -1;
    }

    private String markedInPieces() {
        byte[] pieces = new byte[STAGE];
        int length = 0;
        byte last;
        do {
            last = readByte();
            if (length == pieces.length) {
                pieces = Arrays.copyOf(pieces, 2 * length);
            }
            pieces[length++] = (byte) (last & 0x7F);
            requireText(length);
        } while (last >= 0);
        pieced += length;
        return new String(pieces, 0, length, StandardCharsets.ISO_8859_1);
    }

    private void requireText(int length) {
        if (length > in.valueLimit()) {
            throw new KryoException(
                    new ResultTooLargeException("value too large", in.valueLimit(), length, at(), in.resultId()));
        }
    }

    /** So many chars, each of one to three bytes. */
    private String text(int length) {
        requireText(length);
        requireLeft(length);
        if (length > limit - position || !KryoOutput.isAscii(buffer, position, length)) {
            return wide(length);
        }
        int from = position;
        position += length;
        return StringBytes.OPEN
                ? StringBytes.latin1(Arrays.copyOfRange(buffer, from, position))
                : new String(buffer, from, length, StandardCharsets.ISO_8859_1);
    }

    private String wide(int length) {
        boolean straddles = length > limit - position;
        long from = at();
        char[] made = chars.length < Math.min(length, STAGE) ? new char[STAGE] : chars;
        for (int i = 0; i < length; i++) {
            if (i == made.length) {
                made = Arrays.copyOf(made, (int) Math.min(length, 2L * i));
            }
            made[i] = wideChar();
        }
        chars = made.length <= WireInput.AHEAD_MAX / Character.BYTES ? made : new char[STAGE];
        if (straddles) {
            pieced += at() - from;
        }
        return new String(made, 0, length);
    }

    private char wideChar() {
        int first = readByte();
        if (first >= 0) {
            return (char) first;
        }
        if ((first & 0xE0) == 0xC0) {
            return (char) ((first & 0x1F) << 6 | continuation());
        }
        if ((first & 0xF0) == 0xE0) {
            return (char) ((first & 0x0F) << 12 | continuation() << 6 | continuation());
        }
        throw malformed("ill-formed character");
    }

    private int continuation() {
        byte next = readByte();
        if ((next & 0xC0) != 0x80) {
            throw malformed("ill-formed character");
        }
        return next & 0x3F;
    }

    /** Something that reads elements by itself. */
    private interface Bulk<A> {
        A from(WireInput in) throws IOException;
    }

    private <A> A bulk(Bulk<A> elements) {
        in.commit(position);
        try {
            return elements.from(in);
        } catch (IOException e) {
            throw new KryoException(e);
        } finally {
            region();
        }
    }

    @Override
    public byte[] readBytes(int length) {
        return bulk(from -> from.readByteArray(length));
    }

    @Override
    public int[] readInts(int length) {
        return bulk(from -> from.readInts(length));
    }

    @Override
    public long[] readLongs(int length) {
        return bulk(from -> from.readLongs(length));
    }

    @Override
    public float[] readFloats(int length) {
        return bulk(from -> from.readFloats(length));
    }

    @Override
    public double[] readDoubles(int length) {
        return bulk(from -> from.readDoubles(length));
    }

    @Override
    public short[] readShorts(int length) {
        return bulk(from -> from.readShorts(length));
    }

    @Override
    public char[] readChars(int length) {
        return bulk(from -> from.readChars(length));
    }

    @Override
    public boolean[] readBooleans(int length) {
        return bulk(from -> from.readBooleans(length));
    }

    /** How many of so many numbers, of a byte or more each, may be allocated before any has arrived. */
    private int claim(int length, int width) {
        if (length < 0) {
            throw malformed("negative count " + length);
        }
        long bytes = (long) length * width;
        if (bytes > in.valueLimit()) {
            throw new KryoException(
                    new ResultTooLargeException("value too large", in.valueLimit(), bytes, at(), in.resultId()));
        }
        requireLeft(length);
        return Math.min(length, WireInput.AHEAD_MAX / width);
    }

    @Override
    public int[] readInts(int length, boolean optimizePositive) {
        if (!varEncoding) {
            return readInts(length);
        }
        int[] array = new int[claim(length, Integer.BYTES)];
        for (int i = 0; i < length; i++) {
            if (i == array.length) {
                array = Arrays.copyOf(array, (int) Math.min(length, 2L * i));
            }
            array[i] = integer((int) varint(Integer.SIZE), optimizePositive);
        }
        return array;
    }

    @Override
    public long[] readLongs(int length, boolean optimizePositive) {
        if (!varEncoding) {
            return readLongs(length);
        }
        long[] array = new long[claim(length, Long.BYTES)];
        for (int i = 0; i < length; i++) {
            if (i == array.length) {
                array = Arrays.copyOf(array, (int) Math.min(length, 2L * i));
            }
            array[i] = readVarLong(optimizePositive);
        }
        return array;
    }
}
