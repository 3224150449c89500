// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every type, written through regions of every length and read through regions of every length. */
final class RoundTripTest {

    private static final long SEED = 20260101;

    /** One value in a payload: how it is written, and how it is read and compared. */
    private record Item(String name, Writing write, Reading check) {}

    private interface Writing {
        void to(WireOutput out) throws IOException;
    }

    private interface Reading {
        void from(WireInput in) throws IOException;
    }

    private record Cut(String name, IntSupplier sizes) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** No number is longer than 10 bytes, so the writing side begins there. */
    static List<Cut> cuts() {
        List<Cut> cuts = new ArrayList<>();
        for (int size = 10; size <= 65; size++) {
            int fixed = size;
            cuts.add(new Cut("all " + size, () -> fixed));
        }
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(SEED + seed);
            cuts.add(new Cut("random, seed " + (SEED + seed), () -> 10 + random.nextInt(55)));
        }
        cuts.add(new Cut("one", () -> 1 << 20));
        return cuts;
    }

    @ParameterizedTest
    @MethodSource("cuts")
    void everyTypeSurvivesEveryCutOfTheWritingSide(Cut cut) throws IOException {
        List<Item> items = items();
        byte[] payload = written(items, cut.sizes());
        for (int size : new int[] {1, 7, 64, payload.length}) {
            read(items, payload, () -> size);
        }
    }

    @Test
    void everyTypeSurvivesEveryCutOfTheReadingSide() throws IOException {
        List<Item> items = items();
        byte[] payload = written(items, () -> 1 << 20);
        for (int size = 1; size <= 65; size++) {
            int fixed = size;
            read(items, payload, () -> fixed);
        }
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(SEED + seed);
            read(items, payload, () -> 1 + random.nextInt(64));
        }
    }

    @Test
    void theBytesDoNotDependOnTheCut() throws IOException {
        byte[] whole = written(items(), () -> 1 << 20);
        for (Cut cut : cuts()) {
            assertArrayEquals(whole, written(items(), cut.sizes()), cut.name());
        }
    }

    @Test
    void valueCutAtAnyByteIsMalformed() throws IOException {
        for (Item item : items()) {
            byte[] whole = written(List.of(item), () -> 1 << 20);
            for (int length = 0; length < whole.length; length++) {
                byte[] cut = Arrays.copyOf(whole, length);
                ReadableRegions regions = new ReadableRegions(cut, 1 + length % 67);
                MalformedDataException e = assertThrows(
                        MalformedDataException.class,
                        () -> item.check().from(regions.in),
                        item.name() + " cut to " + length);
                assertEquals("payload ends inside a value", e.reason());
                assertEquals(length, e.offset());
                assertEquals(ReadableRegions.ID, e.resultId());
                regions.audit();
            }
        }
    }

    @Test
    void nothingIsReadBehindTheEnd() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[] {1}, 1);
        assertEquals(1, regions.in.readByte());
        assertTrue(regions.in.exhausted());
        int calls = regions.calls;
        assertTrue(regions.in.exhausted());
        assertThrows(MalformedDataException.class, regions.in::readByte);
        assertEquals(calls, regions.calls, "the source is not asked again");
        regions.audit();
    }

    private static byte[] written(List<Item> items, IntSupplier sizes) throws IOException {
        WritableRegions regions = new WritableRegions(sizes);
        for (Item item : items) {
            item.write().to(regions.out);
        }
        return regions.bytes();
    }

    private static void read(List<Item> items, byte[] payload, IntSupplier sizes) throws IOException {
        ReadableRegions regions = new ReadableRegions(payload, sizes);
        for (Item item : items) {
            try {
                item.check().from(regions.in);
            } catch (IOException e) {
                throw new AssertionError(item.name(), e);
            }
        }
        assertTrue(regions.in.exhausted());
        assertEquals(payload.length, regions.in.position());
        regions.audit();
    }

    private static List<Item> items() {
        List<Item> items = new ArrayList<>();
        addNumbers(items);
        addVarints(items);
        addText(items);
        addRuns(items);
        Random random = new Random(SEED);
        for (int count : new int[] {0, 1, 2, 16, 17, 18, 33, 100}) {
            addWholeArrays(items, random, count);
            addFloatingArrays(items, random, count);
        }
        return items;
    }

    private static void addNumbers(List<Item> items) {
        for (byte value : new byte[] {0, 1, -1, Byte.MIN_VALUE, Byte.MAX_VALUE}) {
            items.add(new Item("byte " + value, o -> o.writeByte(value), i -> assertEquals(value, i.readByte())));
        }
        for (boolean value : new boolean[] {true, false}) {
            items.add(new Item("boolean", o -> o.writeBoolean(value), i -> assertEquals(value, i.readBoolean())));
        }
        for (short value : new short[] {0, 1, -1, Short.MIN_VALUE, Short.MAX_VALUE, 0x1234}) {
            items.add(new Item("short " + value, o -> o.writeShort(value), i -> assertEquals(value, i.readShort())));
        }
        for (char value : new char[] {0, 'a', Character.MAX_VALUE, Character.MIN_SURROGATE}) {
            items.add(new Item("char " + (int) value, o -> o.writeChar(value), i -> assertEquals(value, i.readChar())));
        }
        for (int value : new int[] {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x12345678}) {
            items.add(new Item("int " + value, o -> o.writeInt(value), i -> assertEquals(value, i.readInt())));
        }
        for (long value : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0x1234_5678_9ABC_DEF0L}) {
            items.add(new Item("long " + value, o -> o.writeLong(value), i -> assertEquals(value, i.readLong())));
        }
        // Bits, since a signalling NaN with a payload equals nothing.
        for (int bits : new int[] {0, 0x8000_0000, 0x7F80_0000, 0x7FC0_0001, 0xFF80_0123, 1, 0x7F7F_FFFF}) {
            items.add(new Item(
                    "float bits " + bits,
                    o -> o.writeFloat(Float.intBitsToFloat(bits)),
                    i -> assertEquals(bits, Float.floatToRawIntBits(i.readFloat()))));
        }
        for (long bits : new long[] {0, 1L << 63, 0x7FF0L << 48, 0x7FF8_0000_0000_0001L, 0xFFF0_0000_0000_0123L, 1}) {
            items.add(new Item(
                    "double bits " + bits,
                    o -> o.writeDouble(Double.longBitsToDouble(bits)),
                    i -> assertEquals(bits, Double.doubleToRawLongBits(i.readDouble()))));
        }
    }

    private static void addVarints(List<Item> items) {
        List<Long> values = new ArrayList<>(List.of(0L, -1L, Long.MIN_VALUE, Long.MAX_VALUE));
        for (int bits = 7; bits < 64; bits += 7) {
            values.addAll(List.of((1L << bits) - 1, 1L << bits, -(1L << bits), -(1L << bits) - 1));
        }
        values.addAll(List.of((long) Integer.MIN_VALUE, (long) Integer.MAX_VALUE));
        for (long value : values) {
            int narrow = (int) value;
            items.add(new Item(
                    "varlong " + value, o -> o.writeVarLong(value), i -> assertEquals(value, i.readVarLong())));
            items.add(new Item(
                    "zigzag long " + value,
                    o -> o.writeZigZagLong(value),
                    i -> assertEquals(value, i.readZigZagLong())));
            items.add(new Item(
                    "varint " + narrow, o -> o.writeVarInt(narrow), i -> assertEquals(narrow, i.readVarInt())));
            items.add(new Item(
                    "zigzag int " + narrow,
                    o -> o.writeZigZagInt(narrow),
                    i -> assertEquals(narrow, i.readZigZagInt())));
        }
    }

    private static void addText(List<Item> items) {
        List<String> texts = new ArrayList<>(List.of("", "a", "\u00E9", "\u20AC", "\uD83D\uDE00", "\u0000", "\uFFFF"));
        texts.add("a\u00E9\u20AC\uD83D\uDE00".repeat(30));
        for (int length : new int[] {8, 15, 16, 17, 42, 43, 127, 128, 511, 512, 513}) {
            texts.add("x".repeat(length));
            texts.add("\u20AC".repeat(length));
            texts.add("x".repeat(length) + "\uD83D\uDE00");
        }
        for (String text : texts) {
            items.add(new Item(
                    "text of " + text.length(), o -> o.writeUtf8(text), i -> assertEquals(text, i.readUtf8())));
            items.add(new Item(
                    "wrapped text of " + text.length(),
                    o -> o.writeUtf8(CharBuffer.wrap(text)),
                    i -> assertEquals(text, i.readUtf8())));
        }
    }

    private static void addRuns(List<Item> items) {
        byte[] bytes = new byte[300];
        new Random(SEED).nextBytes(bytes);
        for (int length : new int[] {0, 1, 2, 63, 64, 65, 290}) {
            byte[] expected = Arrays.copyOfRange(bytes, 7, 7 + length);
            items.add(new Item(
                    "bytes " + length,
                    o -> o.writeBytes(bytes, 7, length),
                    i -> assertArrayEquals(expected, i.readByteArray(length))));
            items.add(new Item("bytes to part " + length, o -> o.writeBytes(bytes, 7, length), i -> {
                byte[] target = new byte[length + 5];
                i.readBytes(target, 3, length);
                assertEquals(ByteBuffer.wrap(expected), ByteBuffer.wrap(target, 3, length));
            }));
            items.add(new Item(
                    "direct buffer " + length,
                    o -> o.writeBytes(
                            ByteBuffer.allocateDirect(length).put(expected).flip()),
                    i -> {
                        ByteBuffer target = ByteBuffer.allocateDirect(length);
                        i.readBytes(target);
                        assertEquals(ByteBuffer.wrap(expected), target.flip());
                    }));
            items.add(new Item(
                    "read-only buffer " + length,
                    o -> o.writeBytes(ByteBuffer.wrap(expected).asReadOnlyBuffer()),
                    i -> assertEquals(ByteBuffer.wrap(expected), i.borrowBytes(length))));
            items.add(new Item("skipped " + length, o -> o.writeBytes(bytes, 0, length), i -> i.skip(length)));
        }
    }

    private static void addWholeArrays(List<Item> items, Random random, int count) {
        boolean[] booleans = new boolean[count];
        short[] shorts = new short[count];
        char[] chars = new char[count];
        int[] ints = new int[count];
        long[] longs = new long[count];
        for (int i = 0; i < count; i++) {
            booleans[i] = random.nextBoolean();
            shorts[i] = (short) random.nextInt();
            chars[i] = (char) random.nextInt();
            ints[i] = random.nextInt();
            longs[i] = random.nextLong();
        }
        items.add(new Item(
                count + " booleans",
                o -> o.writeBooleans(booleans, 0, count),
                i -> assertArrayEquals(booleans, i.readBooleans(count))));
        items.add(new Item(
                count + " shorts",
                o -> o.writeShorts(shorts, 0, count),
                i -> assertArrayEquals(shorts, i.readShorts(count))));
        items.add(new Item(
                count + " chars",
                o -> o.writeChars(chars, 0, count),
                i -> assertArrayEquals(chars, i.readChars(count))));
        items.add(new Item(
                count + " ints", o -> o.writeInts(ints, 0, count), i -> assertArrayEquals(ints, i.readInts(count))));
        items.add(new Item(
                count + " longs",
                o -> o.writeLongs(longs, 0, count),
                i -> assertArrayEquals(longs, i.readLongs(count))));
        items.add(new Item("part of " + count + " longs", o -> o.writeLongs(longs, count / 3, count / 2), i -> {
            long[] target = new long[count];
            i.readLongs(target, count / 3, count / 2);
            for (int k = 0; k < count; k++) {
                boolean inside = k >= count / 3 && k < count / 3 + count / 2;
                assertEquals(inside ? longs[k] : 0, target[k]);
            }
        }));
    }

    private static void addFloatingArrays(List<Item> items, Random random, int count) {
        float[] floats = new float[count];
        double[] doubles = new double[count];
        for (int i = 0; i < count; i++) {
            floats[i] = Float.intBitsToFloat(random.nextInt());
            doubles[i] = Double.longBitsToDouble(random.nextLong());
        }
        items.add(new Item(
                count + " floats",
                o -> o.writeFloats(floats, 0, count),
                i -> assertArrayEquals(floats, i.readFloats(count))));
        items.add(new Item(
                count + " doubles",
                o -> o.writeDoubles(doubles, 0, count),
                i -> assertArrayEquals(doubles, i.readDoubles(count))));
    }
}
