// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class WireOutputTest {

    private interface Writing {
        void to(WireOutput out) throws IOException;
    }

    @Test
    void numbersAreLittleEndian() throws IOException {
        assertBytes("FF", out -> out.writeByte(-1));
        assertBytes("01 00", out -> {
            out.writeBoolean(true);
            out.writeBoolean(false);
        });
        assertBytes("34 12", out -> out.writeShort(0x1234));
        assertBytes("AC 20", out -> out.writeChar('\u20AC'));
        assertBytes("78 56 34 12", out -> out.writeInt(0x12345678));
        assertBytes("EF CD AB 89 67 45 23 01", out -> out.writeLong(0x0123_4567_89AB_CDEFL));
        assertBytes("00 00 80 3F", out -> out.writeFloat(1f));
        assertBytes("00 00 00 00 00 00 F0 3F", out -> out.writeDouble(1d));
    }

    @Test
    void varintsAreLeb128() throws IOException {
        assertBytes("00", out -> out.writeVarInt(0));
        assertBytes("7F", out -> out.writeVarInt(127));
        assertBytes("80 01", out -> out.writeVarInt(128));
        assertBytes("AC 02", out -> out.writeVarInt(300));
        assertBytes("FF FF FF FF 0F", out -> out.writeVarInt(-1));
        assertBytes("FF FF FF FF FF FF FF FF FF 01", out -> out.writeVarLong(-1));
        assertBytes("00 01 02 03", out -> {
            out.writeZigZagInt(0);
            out.writeZigZagInt(-1);
            out.writeZigZagLong(1);
            out.writeZigZagLong(-2);
        });
        assertBytes("FF FF FF FF 0F", out -> out.writeZigZagInt(Integer.MIN_VALUE));
        assertBytes("FE FF FF FF FF FF FF FF FF 01", out -> out.writeZigZagLong(Long.MAX_VALUE));
    }

    @Test
    void textIsItsLengthInBytesAndUtf8() throws IOException {
        assertBytes("00", out -> out.writeUtf8(""));
        assertBytes("0A 61 C3 A9 E2 82 AC F0 9F 98 80", out -> out.writeUtf8("a\u00E9\u20AC\uD83D\uDE00"));
    }

    @Test
    void arraysAreElementsOnly() throws IOException {
        assertBytes("01 00", out -> out.writeBooleans(new boolean[] {true, false}, 0, 2));
        assertBytes("02 00 03 00", out -> out.writeShorts(new short[] {1, 2, 3, 4}, 1, 2));
        assertBytes("61 00", out -> out.writeChars(new char[] {'a'}, 0, 1));
        assertBytes("01 00 00 00 FF FF FF FF", out -> out.writeInts(new int[] {1, -1}, 0, 2));
        assertBytes("00 00 80 3F", out -> out.writeFloats(new float[] {1}, 0, 1));
        long[] longs = new long[40];
        Arrays.fill(longs, 0x0807_0605_0403_0201L);
        assertBytes("01 02 03 04 05 06 07 08".repeat(40), out -> out.writeLongs(longs, 0, 40));
        double[] doubles = new double[40];
        Arrays.fill(doubles, 1);
        assertBytes("00 00 00 00 00 00 F0 3F".repeat(40), out -> out.writeDoubles(doubles, 0, 40));
    }

    /** A number that finds one byte too few goes on in the next region, whole. */
    @Test
    void numberNeverStraddlesTwoRegions() throws IOException {
        List<Writing> writings = List.of(
                out -> out.writeShort(1),
                out -> out.writeInt(1),
                out -> out.writeLong(1),
                out -> out.writeVarInt(1 << 14),
                out -> out.writeVarLong(-1));
        int[] widths = {2, 4, 8, 3, 10};
        for (int k = 0; k < widths.length; k++) {
            int width = widths[k];
            for (int left : new int[] {width - 1, width, width + 1}) {
                WritableRegions regions = new WritableRegions(64);
                regions.out.writeBytes(new byte[64 - left], 0, 64 - left);
                writings.get(k).to(regions.out);
                regions.bytes();
                List<Integer> expected = left < width ? List.of(64 - left, width) : List.of(64 - left + width);
                assertEquals(expected, regions.runs, width + " bytes where " + left + " are left");
            }
        }
    }

    @Test
    void elementsFillRegionsAndNeverStraddle() throws IOException {
        WritableRegions regions = new WritableRegions(203);
        regions.out.writeByte(0);
        regions.out.writeLongs(new long[60], 0, 60);
        regions.bytes();
        assertEquals(List.of(201, 200, 80), regions.runs);
    }

    @Test
    void byteRunsAndTextFillRegionsToTheLastByte() throws IOException {
        for (int size = 2; size <= 64; size++) {
            WritableRegions regions = new WritableRegions(size);
            regions.out.writeBytes(new byte[100], 0, 100);
            regions.out.writeUtf8("x\u20AC\uD83D\uDE00".repeat(30));
            regions.out.writeBytes(ByteBuffer.allocate(100));
            regions.bytes();
            List<Integer> runs = regions.runs;
            for (int run : runs.subList(0, runs.size() - 1)) {
                // The text's length is a varint of two bytes, which does not straddle.
                assertTrue(run == size || run == size - 1, runs + " in regions of " + size);
            }
        }
    }

    @Test
    void regionIsWrittenInPlaceAndCommitted() throws IOException {
        WritableRegions regions = new WritableRegions(64);
        WireOutput out = regions.out;
        assertEquals(out.limit(), out.offset(), "no region before the first write");
        assertEquals(0, out.array().length);
        out.next();
        assertEquals(64, out.limit() - out.offset());
        int offset = out.offset();
        out.array()[offset] = 1;
        out.array()[offset + 1] = 2;
        assertEquals(0, out.written());
        out.commit(offset + 2);
        assertEquals(2, out.written());
        assertThrows(IndexOutOfBoundsException.class, () -> out.commit(offset + 1));
        assertThrows(IndexOutOfBoundsException.class, () -> out.commit(out.limit() + 1));
        out.commit(out.limit());
        out.next();
        out.writeByte(3);
        byte[] bytes = regions.bytes();
        assertEquals(65, bytes.length);
        assertEquals(3, bytes[64]);
    }

    @Test
    void ensureKeepsTheRegionWhenItSuffices() throws IOException {
        WritableRegions regions = new WritableRegions(100);
        regions.out.writeBytes(new byte[36], 0, 36);
        regions.out.ensure(64);
        assertEquals(1, regions.calls);
        regions.out.writeByte(0);
        regions.out.ensure(64);
        assertEquals(2, regions.calls);
        assertEquals(100, regions.out.limit() - regions.out.offset());
        regions.bytes();
        assertThrows(IllegalArgumentException.class, () -> regions.out.ensure(65));
    }

    @Test
    void regionShorterThanANumberIsTheOwnersFault() throws IOException {
        WritableRegions regions = new WritableRegions(7);
        assertThrows(IllegalStateException.class, () -> regions.out.writeLong(1));
        assertEquals(0, regions.bytes().length);
    }

    @Test
    void bufferShorterThanItsTailRoomHasAnEmptyRegion() {
        ByteBuf buffer = Unpooled.wrappedBuffer(new byte[4]).clear();
        WireOutput out = new WireOutput(new Always(buffer), 5);
        assertThrows(IllegalStateException.class, () -> out.writeByte(1));
        assertSame(buffer, out.take());
        assertEquals(0, buffer.writerIndex());
        buffer.release();
    }

    @Test
    void bufferWithoutAnArrayIsRefusedAndStillOwned() {
        ByteBuf direct = Unpooled.directBuffer(100);
        WireOutput out = new WireOutput(new Always(direct), 0);
        assertThrows(UnsupportedOperationException.class, () -> out.writeByte(1));
        assertSame(direct, out.take());
        assertEquals(0, out.written());
        direct.release();
    }

    @Test
    void writingGoesOnBehindWhatTheOwnerPutInTheBuffer() throws IOException {
        ByteBuf buffer = Unpooled.buffer(100, 100).writeByte(7);
        WireOutput out = new WireOutput(new Always(buffer), 0);
        out.writeByte(8);
        assertEquals(1, out.written());
        assertSame(buffer, out.take());
        assertEquals(2, buffer.writerIndex());
        assertNull(out.take(), "taken once");
        out.writeByte(9);
        assertEquals(2, out.written());
        assertSame(buffer, out.take());
        assertArrayEquals(new byte[] {7, 8, 9}, Arrays.copyOf(buffer.array(), buffer.writerIndex()));
        buffer.release();
    }

    /** Next fails at each of its calls: the buffer given up is its own, and nothing else is held. */
    @Test
    void failingOwnerLeavesAnEmptyRegionAndNoBufferBehind() throws IOException {
        List<Writing> writings = List.of(
                out -> out.writeLong(1),
                out -> out.writeBytes(new byte[70], 0, 70),
                out -> out.writeBytes(ByteBuffer.allocate(70)),
                out -> out.writeUtf8("\u20AC".repeat(40)),
                out -> out.writeLongs(new long[100], 0, 100),
                out -> out.writeOutOfBand(new byte[1000], 0, 1000),
                out -> out.asOutputStream().write(new byte[70]),
                WireOutput::next);
        for (Writing writing : writings) {
            for (int failing = 0; failing < 3; failing++) {
                WritableRegions regions = new WritableRegions(64);
                regions.failingFrom = failing;
                regions.byReferenceFrom = 1000;
                assertThrows(IOException.class, () -> {
                    while (true) {
                        writing.to(regions.out);
                    }
                });
                assertEquals(0, regions.out.limit() - regions.out.offset());
                assertEquals(0, regions.out.array().length);
                assertNull(regions.out.take());
                long written = regions.out.written();
                assertThrows(IOException.class, () -> regions.out.writeByte(1), "asks again");
                assertEquals(written, regions.out.written());
                regions.bytes();
            }
        }
    }

    @Test
    void largeBodyGoesByReferenceBehindWhatWasWritten() throws IOException {
        WritableRegions regions = new WritableRegions(64);
        regions.byReferenceFrom = 100;
        byte[] body = new byte[120];
        Arrays.fill(body, (byte) 2);
        regions.out.writeByte(1);
        regions.out.writeOutOfBand(body, 10, 100);
        regions.out.writeByte(3);
        assertEquals(102, regions.out.written());
        assertSame(body, regions.bodies.get(0).array());
        assertEquals(10, regions.bodies.get(0).position());
        assertEquals(110, regions.bodies.get(0).limit());
        byte[] expected = new byte[102];
        Arrays.fill(expected, (byte) 2);
        expected[0] = 1;
        expected[101] = 3;
        assertArrayEquals(expected, regions.bytes());
    }

    @Test
    void bodyByReferenceAdvancesTheCallersPositionOnly() throws IOException {
        WritableRegions regions = new WritableRegions(64);
        regions.byReferenceFrom = 1;
        ByteBuffer body = ByteBuffer.allocateDirect(10).position(2).limit(9);
        regions.out.writeOutOfBand(body);
        assertEquals(9, body.position());
        assertEquals(2, regions.bodies.get(0).position());
        assertEquals(9, regions.bodies.get(0).limit());
        assertEquals(7, regions.bytes().length);
    }

    @Test
    void smallOrEmptyBodyIsCopied() throws IOException {
        WritableRegions regions = new WritableRegions(64);
        regions.byReferenceFrom = 100;
        ByteBuffer body = ByteBuffer.wrap(new byte[99]);
        regions.out.writeOutOfBand(body);
        assertEquals(99, body.position());
        regions.byReferenceFrom = 0;
        regions.out.writeOutOfBand(body);
        regions.out.writeOutOfBand(new byte[0], 0, 0);
        assertEquals(99, regions.bytes().length);
        assertEquals(List.of(), regions.bodies);
    }

    @Test
    void viewsWriteHereAndCloseNothing() throws IOException {
        WritableRegions regions = new WritableRegions(3);
        WireOutput out = regions.out;
        OutputStream stream = out.asOutputStream();
        WritableByteChannel channel = out.asChannel();
        assertSame(stream, out.asOutputStream());
        assertSame(channel, out.asChannel());
        stream.write(0x101);
        stream.write(new byte[] {2, 3, 4});
        stream.flush();
        stream.close();
        ByteBuffer source = ByteBuffer.wrap(new byte[] {5, 6, 7, 8, 9});
        assertEquals(5, channel.write(source));
        assertEquals(0, source.remaining());
        channel.close();
        assertTrue(channel.isOpen());
        stream.write(10);
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, regions.bytes());
    }

    @Test
    void partOutsideTheSourceIsRefusedBeforeAnythingIsWritten() {
        WritableRegions regions = new WritableRegions(64);
        WireOutput out = regions.out;
        assertThrows(IndexOutOfBoundsException.class, () -> out.writeBytes(new byte[4], 2, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> out.writeLongs(new long[4], -1, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> out.writeBooleans(new boolean[4], 2, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> out.writeOutOfBand(new byte[4], 2, 3));
        assertEquals(0, regions.calls);
    }

    @Test
    void textWithoutUtf8IsRefusedBeforeItsFirstByte() throws IOException {
        for (int size : new int[] {10, 1000}) {
            WritableRegions regions = new WritableRegions(size);
            regions.out.writeByte(1);
            for (String text : List.of("ab\uD83D", "ab\uDE00", "ab\uD83Dx", "ab\uDE00\uD83D", "ab\uD83D\uD83D\uDE00")) {
                MalformedDataException e =
                        assertThrows(MalformedDataException.class, () -> regions.out.writeUtf8(text));
                assertEquals("text has no UTF-8 form: unpaired surrogate at character 2 at offset 1", e.getMessage());
            }
            assertEquals(1, regions.out.written());
            assertArrayEquals(new byte[] {1}, regions.bytes());
        }
    }

    @Test
    void writtenCountsBeyondAnInt() throws IOException {
        ByteBuf buffer = Unpooled.buffer(1 << 20, 1 << 20);
        WireOutput out = new WireOutput(new Always(buffer), 0);
        for (int i = 0; i < 3 << 10; i++) {
            out.next();
            out.commit(out.limit());
            out.take();
            buffer.clear();
        }
        assertEquals(3L << 30, out.written());
        buffer.release();
    }

    private static void assertBytes(String hex, Writing writing) throws IOException {
        WritableRegions regions = new WritableRegions(1000);
        writing.to(regions.out);
        byte[] expected = HexFormat.of().parseHex(hex.replace(" ", ""));
        assertArrayEquals(expected, regions.bytes(), hex);
    }

    @Test
    void textOfUpTo16CharsIsEncodedInTheRegionAndLongerTextInAStage() throws Exception {
        WireOutput out = new WritableRegions(1 << 10).out;
        out.next();
        for (String text : List.of("", "16 chars of text", "\u20AC".repeat(16), "\uD83D\uDE00".repeat(8))) {
            out.writeUtf8(text);
        }
        assertNull(inside(out, "textWriter"), "no stage was made");
        out.writeUtf8("17 chars of text!");
        Object stage = inside(out, "textWriter");
        assertEquals("17 chars of text!", new String((char[]) inside(stage, "chars"), 0, 17), "the first copy");
        assertEquals("17 chars of text!", new String((byte[]) inside(stage, "bytes"), 0, 17, US_ASCII), "the second");
    }

    private static Object inside(Object object, String field) throws ReflectiveOperationException {
        Field found = object.getClass().getDeclaredField(field);
        found.setAccessible(true);
        return found.get(object);
    }

    /** A text that counts how often its chars are asked for. */
    private static final class Counted implements CharSequence {
        private final int length;
        private int read;

        Counted(int length) {
            this.length = length;
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public char charAt(int index) {
            read++;
            return 'c';
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String toString() {
            return "c".repeat(length);
        }
    }

    @Test
    void textIsEncodedOnceAsLongAsItFitsTheStageAndTwiceBeyond() throws IOException {
        for (int length : new int[] {1, 17, 512, 513, 5_000}) {
            Counted text = new Counted(length);
            new WritableRegions(1 << 10).out.writeUtf8(text);
            assertEquals(length <= 512 ? length : 2 * length, text.read, "chars read of " + length);
        }
    }

    /** Gives one buffer again and again. */
    private record Always(ByteBuf buffer) implements WireOutput.Next {

        @Override
        public ByteBuf next(@Nullable ByteBuf written) {
            return buffer;
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
            throw new AssertionError("takes nothing by reference");
        }

        @Override
        public boolean takesByReference(int length) {
            return false;
        }
    }
}
