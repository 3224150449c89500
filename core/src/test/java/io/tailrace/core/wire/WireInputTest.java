// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WireInputTest {

    private interface Reading {
        Object from(WireInput in) throws IOException;
    }

    /** Each reads a count that its argument claims. */
    private interface Counting {
        Object from(WireInput in, int count) throws IOException;
    }

    private static final List<Counting> COUNTED = List.of(
            WireInput::readByteArray,
            WireInput::borrowBytes,
            WireInput::readBooleans,
            WireInput::readShorts,
            WireInput::readChars,
            WireInput::readInts,
            WireInput::readLongs,
            WireInput::readFloats,
            WireInput::readDoubles);

    private static final int[] WIDTHS = {1, 1, 1, 2, 2, 4, 8, 4, 8};

    @ParameterizedTest
    @CsvSource({
        "overlong varint,                80 00",
        "overlong varint,                FF 80 00",
        "overlong varint,                80 80 80 80 00",
        "varint of more than 32 bits,    80 80 80 80 10",
        "varint of more than 32 bits,    FF FF FF FF 1F",
        "varint of more than 32 bits,    FF FF FF FF FF"
    })
    void varintWithoutAShortFormIsMalformed(String reason, String hex) {
        assertMalformed(reason, hex, WireInput::readVarInt);
        assertMalformed(reason, hex, WireInput::readZigZagInt);
        assertMalformed(reason, hex, WireInput::readUtf8);
    }

    @ParameterizedTest
    @CsvSource({
        "overlong varint,                80 80 80 80 80 80 80 80 80 00",
        "varint of more than 64 bits,    80 80 80 80 80 80 80 80 80 02",
        "varint of more than 64 bits,    FF FF FF FF FF FF FF FF FF 81"
    })
    void varlongWithoutAShortFormIsMalformed(String reason, String hex) {
        assertMalformed(reason, hex, WireInput::readVarLong);
        assertMalformed(reason, hex, WireInput::readZigZagLong);
    }

    @Test
    void booleanIsOneOrZero() {
        assertMalformed("boolean of value 2", "02", WireInput::readBoolean);
        assertMalformed("boolean of value -1", "FF", WireInput::readBoolean);
        assertMalformed("boolean of value 3", "01 03", in -> in.readBooleans(2));
    }

    @Test
    void negativeCountIsMalformed() {
        for (Counting counting : COUNTED) {
            ReadableRegions regions = new ReadableRegions(new byte[10], 10);
            MalformedDataException e = assertThrows(MalformedDataException.class, () -> counting.from(regions.in, -1));
            assertEquals("negative count -1 at offset 0 of result job/1/2#0", e.getMessage());
            regions.audit();
        }
        assertMalformed("negative count -2147483648", "80 80 80 80 08", 5, WireInput::readUtf8);
        assertMalformed("negative count -1", "00", 0, in -> {
            in.skip(-1);
            return in;
        });
    }

    @Test
    void valueAboveItsLimitIsRefusedBeforeItIsRead() throws IOException {
        DecoderLimits limits = DecoderLimits.DEFAULT.withValueBytes(16);
        for (int k = 0; k < WIDTHS.length; k++) {
            int fits = 16 / WIDTHS[k];
            Counting counting = COUNTED.get(k);
            ReadableRegions regions = new ReadableRegions(new byte[40], () -> 3, limits);
            regions.in.readByte();
            counting.from(regions.in, fits);
            ResultTooLargeException e =
                    assertThrows(ResultTooLargeException.class, () -> counting.from(regions.in, fits + 1));
            assertEquals(16, e.limit());
            assertEquals(16 + WIDTHS[k], e.actual());
            assertEquals(17, e.offset());
            assertEquals(ReadableRegions.ID, e.resultId());
            assertEquals(17, regions.in.position());
            regions.audit();
        }
    }

    @Test
    void valueBeyondThePayloadsLimitIsRefusedBeforeItIsRead() throws IOException {
        DecoderLimits limits = DecoderLimits.DEFAULT.withPayloadBytes(17);
        for (int k = 0; k < WIDTHS.length; k++) {
            int fits = 16 / WIDTHS[k];
            Counting counting = COUNTED.get(k);
            ReadableRegions regions = new ReadableRegions(new byte[40], () -> 3, limits);
            regions.in.readByte();
            ResultTooLargeException e =
                    assertThrows(ResultTooLargeException.class, () -> counting.from(regions.in, fits + 1));
            assertEquals(17, e.limit());
            assertEquals(17 + WIDTHS[k], e.actual());
            assertEquals(1, e.offset());
            counting.from(regions.in, fits);
            regions.audit();
        }
    }

    /** A claim of all that the limits allow, with a few bytes behind it. */
    @Test
    void claimAllocatesAtMostAMebibyteAhead() throws IOException {
        int most = DecoderLimits.DEFAULT.valueBytes();
        for (int k = 0; k < WIDTHS.length; k++) {
            Counting counting = COUNTED.get(k);
            int count = most / WIDTHS[k];
            assertAllocatesLittle(new byte[100], in -> counting.from(in, count));
        }
        assertAllocatesLittle(HexFormat.of().parseHex("8080808004" + "61".repeat(50)), WireInput::readUtf8);
        assertAllocatesLittle(new byte[100], in -> {
            in.skip(Long.MAX_VALUE);
            return in;
        });
    }

    private static void assertAllocatesLittle(byte[] payload, Reading reading) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int warm = 0; warm < 2; warm++) {
            ReadableRegions regions = new ReadableRegions(payload, 10);
            long before = threads.getCurrentThreadAllocatedBytes();
            assertThrows(MalformedDataException.class, () -> reading.from(regions.in));
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            regions.audit();
            if (warm > 0) {
                assertTrue(allocated < (1 << 20) + (128 << 10), allocated + " bytes allocated");
            }
        }
    }

    @Test
    void valueOfManyMebibytesGrowsToItsLength() throws IOException {
        byte[] payload = new byte[(5 << 20) + 24];
        new Random(1).nextBytes(payload);
        int longs = payload.length / Long.BYTES;
        ReadableRegions whole = new ReadableRegions(payload, 65_521);
        assertArrayEquals(payload, whole.in.readByteArray(payload.length));
        whole.audit();
        ReadableRegions regions = new ReadableRegions(payload, 65_521);
        long[] expected = new long[longs];
        ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(expected);
        assertArrayEquals(expected, regions.in.readLongs(longs));
        assertTrue(regions.in.exhausted());
        regions.audit();
        ReadableRegions borrowed = new ReadableRegions(payload, 65_521);
        assertEquals(ByteBuffer.wrap(payload), borrowed.in.borrowBytes(payload.length));
        borrowed.audit();
    }

    @Test
    void regionIsReadInPlaceAndCommitted() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[] {1, 2, 3, 4, 5}, 3);
        WireInput in = regions.in;
        assertEquals(in.limit(), in.offset(), "no region before the first read");
        assertTrue(in.next());
        assertEquals(3, in.limit() - in.offset());
        int offset = in.offset();
        assertEquals(2, in.array()[offset + 1]);
        in.commit(offset + 2);
        assertEquals(2, in.position());
        assertThrows(IndexOutOfBoundsException.class, () -> in.commit(offset + 1));
        assertThrows(IndexOutOfBoundsException.class, () -> in.commit(in.limit() + 1));
        assertThrows(IllegalStateException.class, in::next);
        in.commit(in.limit());
        assertTrue(in.next());
        assertEquals(4, in.array()[in.offset()]);
        in.commit(in.limit());
        assertFalse(in.next());
        assertEquals(5, in.position());
        regions.audit();
    }

    @Test
    void emptyBufferIsGivenBackAndTheNextAsked() throws IOException {
        int[] sizes = {0, 2, 0, 0, 3};
        int[] at = {0};
        ReadableRegions regions = new ReadableRegions(new byte[] {1, 2, 3, 4, 5}, () -> sizes[at[0]++ % 5]);
        assertEquals(0x0403_0201, regions.in.readInt());
        assertEquals(5, regions.in.readByte());
        assertTrue(regions.in.exhausted());
        regions.audit();
    }

    @Test
    void takenBufferKeepsWhatIsNotRead() throws IOException {
        ByteBuf buffer = Unpooled.wrappedBuffer(new byte[] {1, 2, 3});
        WireInput in = new WireInput(drained -> buffer, DecoderLimits.DEFAULT, null);
        assertNull(in.take());
        in.readByte();
        assertSame(buffer, in.take());
        assertEquals(2, buffer.readableBytes());
        assertEquals(1, in.position());
        assertEquals(0, in.array().length);
        buffer.release();
    }

    @Test
    void bufferWithoutAnArrayIsRefusedAndStillOwned() {
        ByteBuf direct = Unpooled.directBuffer(10).writeByte(1);
        WireInput in = new WireInput(drained -> direct, DecoderLimits.DEFAULT, null);
        assertThrows(UnsupportedOperationException.class, in::readByte);
        assertSame(direct, in.take());
        direct.release();
    }

    @Test
    void failingSourceLeavesAnEmptyRegionAndNoBufferBehind() {
        List<Reading> readings = List.of(
                WireInput::readLong,
                in -> in.readLongs(1000),
                WireInput::exhausted,
                in -> in.readByteArray(100),
                in -> in.borrowBytes(100),
                in -> in.asInputStream().readAllBytes());
        for (Reading reading : readings) {
            for (int failing = 0; failing < 3; failing++) {
                ReadableRegions regions = new ReadableRegions(new byte[10_000], 20);
                regions.failingFrom = failing;
                assertThrows(IOException.class, () -> {
                    while (true) {
                        reading.from(regions.in);
                        regions.in.skip(regions.in.limit() - regions.in.offset());
                    }
                });
                assertEquals(0, regions.in.limit() - regions.in.offset());
                assertNull(regions.in.take());
                assertThrows(IOException.class, regions.in::readByte, "asks again");
                regions.audit();
            }
        }
    }

    @Test
    void borrowedBytesAreTheChunksOwnUnlessTheyStraddle() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}, 5);
        WireInput in = regions.in;
        ByteBuffer own = in.borrowBytes(4);
        assertTrue(sharesMemory(in, own));
        assertEquals(0x0403_0201, own.getInt(0));
        assertEquals(0, own.position());
        assertEquals(4, own.capacity());
        ByteBuffer copy = in.borrowBytes(4);
        assertFalse(sharesMemory(in, copy));
        assertEquals(0x0807_0605, copy.getInt(0));
        assertEquals(0, in.borrowBytes(0).remaining());
        assertTrue(in.exhausted());
        assertEquals(0, in.borrowBytes(0).remaining());
        regions.audit();
    }

    @Test
    void bytesBeginningAtARegionsEndAreNotCopiedToBeBorrowed() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[8], 4);
        regions.in.skip(4);
        ByteBuffer own = regions.in.borrowBytes(4);
        assertTrue(sharesMemory(regions.in, own));
        regions.audit();
    }

    @Test
    void streamReadsShortAndEndsWithThePayload() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[] {1, (byte) 0xFF, 3, 4, 5, 6, 7}, 3);
        InputStream stream = regions.in.asInputStream();
        assertSame(stream, regions.in.asInputStream());
        byte[] target = new byte[10];
        assertEquals(0, stream.read(target, 10, 0));
        assertEquals(0, regions.calls, "an empty read asks for nothing");
        assertEquals(1, stream.read());
        assertEquals(0xFF, stream.read());
        assertEquals(1, stream.available());
        assertEquals(1, stream.read(target, 2, 8), "short at the region's end");
        assertEquals(3, target[2]);
        assertEquals(2, stream.skip(2));
        assertEquals(1, stream.skip(10), "short at the region's end");
        stream.close();
        assertEquals(1, stream.read(target));
        assertEquals(-1, stream.read());
        assertEquals(-1, stream.read(target));
        assertEquals(0, stream.read(target, 0, 0));
        assertEquals(0, stream.skip(1));
        assertEquals(0, stream.skip(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> stream.read(target, 9, 2));
        regions.audit();
    }

    @Test
    void streamGivesTheSameBytesInEveryCut() throws IOException {
        byte[] payload = new byte[500];
        new Random(2).nextBytes(payload);
        for (int size = 1; size <= 65; size++) {
            ReadableRegions regions = new ReadableRegions(payload, size);
            assertArrayEquals(payload, regions.in.asInputStream().readAllBytes());
            regions.audit();
        }
    }

    @Test
    void channelReadsShortAndEndsWithThePayload() throws IOException {
        ReadableRegions regions = new ReadableRegions(new byte[] {1, 2, 3, 4, 5}, 3);
        ReadableByteChannel channel = regions.in.asChannel();
        assertSame(channel, regions.in.asChannel());
        ByteBuffer target = ByteBuffer.allocateDirect(10);
        assertEquals(0, channel.read(ByteBuffer.allocate(0)));
        assertEquals(3, channel.read(target));
        channel.close();
        assertTrue(channel.isOpen());
        assertEquals(2, channel.read(target));
        assertEquals(-1, channel.read(target));
        assertEquals(0, channel.read(ByteBuffer.allocate(0)));
        assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5}), target.flip());
        regions.audit();
    }

    @Test
    void partOutsideTheTargetIsRefusedBeforeAnythingIsRead() {
        ReadableRegions regions = new ReadableRegions(new byte[10], 10);
        WireInput in = regions.in;
        assertThrows(IndexOutOfBoundsException.class, () -> in.readBytes(new byte[4], 2, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> in.readLongs(new long[4], -1, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> in.readBooleans(new boolean[4], 2, 3));
        assertEquals(0, regions.calls);
    }

    @Test
    void arraysGivenByTheCallerMayBeFilledInPart() throws IOException {
        ReadableRegions regions = new ReadableRegions(HexFormat.of().parseHex("01000200".repeat(4)), 3);
        short[] shorts = new short[4];
        regions.in.readShorts(shorts, 1, 2);
        assertArrayEquals(new short[] {0, 1, 2, 0}, shorts);
        char[] chars = new char[3];
        regions.in.readChars(chars, 1, 1);
        assertArrayEquals(new char[] {0, 1, 0}, chars);
        int[] ints = new int[2];
        regions.in.readInts(ints, 1, 1);
        assertArrayEquals(new int[] {0, 0x0001_0002}, ints);
        float[] floats = new float[1];
        regions.in.readFloats(floats, 0, 1);
        assertEquals(0x0001_0002, Float.floatToRawIntBits(floats[0]));
        double[] doubles = new double[1];
        regions.in.readDoubles(doubles, 0, 0);
        boolean[] booleans = new boolean[2];
        assertThrows(MalformedDataException.class, () -> regions.in.readBooleans(booleans, 0, 2));
        regions.audit();
    }

    /** Whether the byte read last is the borrowed bytes' last. */
    private static boolean sharesMemory(WireInput in, ByteBuffer borrowed) {
        int last = in.offset() - 1;
        byte before = in.array()[last];
        in.array()[last] = (byte) ~before;
        byte seen = borrowed.get(borrowed.limit() - 1);
        in.array()[last] = before;
        return seen != before;
    }

    private static void assertMalformed(String reason, String hex, Reading reading) {
        assertMalformed(reason, hex, hex.replace(" ", "").length() / 2 - 1, reading);
    }

    /** In every cut, with the offset of the byte that is to blame, counted from the payload's start. */
    private static void assertMalformed(String reason, String hex, long offset, Reading reading) {
        byte[] payload = HexFormat.of().parseHex("00" + hex.replace(" ", ""));
        List<String> seen = new ArrayList<>();
        for (int size = 1; size <= payload.length; size++) {
            ReadableRegions regions = new ReadableRegions(payload, size);
            MalformedDataException e = assertThrows(MalformedDataException.class, () -> {
                regions.in.readByte();
                reading.from(regions.in);
            });
            seen.add(e.getMessage());
            regions.audit();
        }
        String expected = reason + " at offset " + (offset + 1) + " of result job/1/2#0";
        String[] all = new String[payload.length];
        Arrays.fill(all, expected);
        assertEquals(List.of(all), seen, hex);
    }
}
