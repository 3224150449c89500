// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.tailrace.core.wire.MalformedDataException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class Lz4CompressionTest {

    /** The native one where it loads; where not, both are Java and the comparisons say nothing. */
    static final Lz4Compression[] BOTH = {Lz4Compression.fastest(), Lz4Compression.java()};

    private static final int[] SIZES = {
        0, 1, 2, 5, 12, 13, 14, 63, 64, 65, 255, 270, 4_095, 65_472, 65_536, 65_547, 70_000
    };
    private static final int GUARD = 64;

    @Test
    void javaInstanceIsTheSafeOneAndChosenOnce() {
        assertEquals("JavaSafe", Lz4Compression.java().implementation());
        assertSame(Lz4Compression.java(), Lz4Compression.java());
        assertSame(Lz4Compression.fastest(), Lz4Compression.fastest());
        assertEquals(1, Lz4Compression.java().id());
    }

    @Test
    void eachImplementationExpandsWhatTheOtherCompressed() throws MalformedDataException {
        for (Samples kind : Samples.values()) {
            for (int size : SIZES) {
                byte[] raw = kind.bytes(size, size);
                for (Lz4Compression from : BOTH) {
                    byte[] block = compress(from, raw);
                    for (Lz4Compression to : BOTH) {
                        byte[] back = new byte[size];
                        to.expand(block, 0, block.length, back, 0, size);
                        assertArrayEquals(raw, back, kind + " of " + size + ", " + from + " to " + to);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void compressWritesWithinItsBoundAndReadsWithinItsRange(Lz4Compression lz4) throws MalformedDataException {
        for (Samples kind : Samples.values()) {
            byte[] around = kind.bytes(10_000, 1);
            int bound = lz4.maxCompressedLength(9_000);
            byte[] room = marked(GUARD + bound + GUARD, (byte) 0xA5);
            int length = lz4.compress(around, 500, 9_000, room, GUARD);
            assertMarked(room, 0, GUARD);
            assertMarked(room, GUARD + bound, room.length);
            byte[] back = new byte[9_000];
            lz4.expand(room, GUARD, length, back, 0, 9_000);
            assertArrayEquals(Arrays.copyOfRange(around, 500, 9_500), back);
        }
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void expandWritesNothingOutsideItsRange(Lz4Compression lz4) throws MalformedDataException {
        byte[] raw = Samples.HALF.bytes(20_000, 2);
        byte[] block = compress(lz4, raw);
        byte[] room = marked(GUARD + raw.length + GUARD, (byte) 0xA5);
        lz4.expand(block, 0, block.length, room, GUARD, raw.length);
        assertMarked(room, 0, GUARD);
        assertMarked(room, GUARD + raw.length, room.length);
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void blockThatYieldsLessThanClaimedIsRefused(Lz4Compression lz4) {
        byte[] block = compress(lz4, Samples.HALF.bytes(5_000, 3));
        byte[] room = new byte[6_000];
        MalformedDataException told =
                assertThrows(MalformedDataException.class, () -> lz4.expand(block, 0, block.length, room, 0, 5_001));
        assertEquals(5_001, told.limit());
        assertEquals(5_000, told.actual());
        assertNull(told.getCause());
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void blockThatYieldsMoreThanClaimedIsRefusedWithinItsRange(Lz4Compression lz4) {
        byte[] block = compress(lz4, Samples.HALF.bytes(5_000, 3));
        for (int claimed : new int[] {0, 1, 12, 2_500, 4_999}) {
            byte[] room = marked(claimed + GUARD, (byte) 0xA5);
            MalformedDataException told = assertThrows(
                    MalformedDataException.class, () -> lz4.expand(block, 0, block.length, room, 0, claimed));
            assertEquals(claimed, told.limit());
            assertMarked(room, claimed, room.length);
        }
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void matchBeforeTheDestinationIsRefused(Lz4Compression lz4) {
        // One literal, then a match of 16 bytes from 2 before it: the byte in front of the destination's range.
        byte[] block = {0x1C, 'x', 2, 0, 0x50, 'a', 'b', 'c', 'd', 'e'};
        byte[] room = marked(GUARD + 1_000, (byte) 0xA5);
        assertThrows(MalformedDataException.class, () -> lz4.expand(block, 0, block.length, room, GUARD, 22));
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void matchOfOffsetZeroShowsZerosNotWhatWasThere(Lz4Compression lz4) {
        byte[] block = {0x1C, 'x', 0, 0, (byte) 0xC0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'};
        byte[] room = marked(29, (byte) 0xA5);
        try {
            lz4.expand(block, 0, block.length, room, 0, 29);
        } catch (MalformedDataException e) {
            return; // better still
        }
        byte[] expected = new byte[29];
        expected[0] = 'x';
        for (int i = 0; i < 12; i++) {
            expected[17 + i] = (byte) ('a' + i);
        }
        assertArrayEquals(expected, room);
    }

    /**
     * Crafted from valid blocks by small edits. Some still are blocks, of other bytes: those must not depend on what the
     * destination held, and both implementations must read the same.
     */
    @Test
    void mutatedBlocksAreRefusedOrReadAlikeWithoutStaleBytes() {
        int accepted = 0;
        for (int seed = 0; seed < 1_000; seed++) {
            byte[] block = mutated(seed);
            byte[] first = outcome(BOTH[0], block, (byte) 0xA5);
            String where = "seed " + seed;
            assertArrayEquals(first, outcome(BOTH[0], block, (byte) 0x5A), where);
            assertArrayEquals(first, outcome(BOTH[1], block, (byte) 0xA5), where);
            assertArrayEquals(first, outcome(BOTH[1], block, (byte) 0x5A), where);
            accepted += first == null ? 0 : 1;
        }
        System.out.println("1,000 mutated LZ4 blocks: " + (1_000 - accepted) + " refused, " + accepted
                + " still blocks of that length");
    }

    /** What the block expands to over a destination full of that marker, or null when it is refused. */
    private static byte[] outcome(Lz4Compression lz4, byte[] block, byte marker) {
        byte[] room = marked(GUARD + 2_000 + GUARD, marker);
        byte[] produced = null;
        try {
            lz4.expand(block, 0, block.length, room, GUARD, 2_000);
            produced = Arrays.copyOfRange(room, GUARD, GUARD + 2_000);
        } catch (MalformedDataException e) {
            assertEquals(2_000, e.limit());
        }
        for (int i = 0; i < GUARD; i++) {
            assertEquals(marker, room[i]);
            assertEquals(marker, room[GUARD + 2_000 + i]);
        }
        return produced;
    }

    static byte[] mutated(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] block = compress(BOTH[random.nextInt(2)], Samples.HALF.bytes(2_000, seed));
        int edits = 1 + random.nextInt(8);
        for (int i = 0; i < edits; i++) {
            int at = random.nextInt(block.length);
            switch (random.nextInt(5)) {
                case 0 -> block[at] = (byte) random.nextInt();
                case 1 -> block[at] = (byte) 0xFF; // long run lengths, far offsets
                case 2 -> block[at] = 0; // offset 0
                case 3 -> block = Arrays.copyOf(block, Math.max(2, at));
                default -> block = Arrays.copyOf(block, block.length + random.nextInt(20));
            }
        }
        return block;
    }

    static byte[] compress(Lz4Compression lz4, byte[] raw) {
        byte[] room = new byte[lz4.maxCompressedLength(raw.length)];
        return Arrays.copyOf(room, lz4.compress(raw, 0, raw.length, room, 0));
    }

    private static byte[] marked(int length, byte marker) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, marker);
        return bytes;
    }

    private static void assertMarked(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            assertEquals((byte) 0xA5, bytes[i], "byte " + i);
        }
    }
}
