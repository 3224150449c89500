// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text, with the JDK's own encoder and decoder as the referee. */
final class Utf8Test {

    @ParameterizedTest
    @CsvSource({
        "80, 0, continuation alone",
        "BF, 0, continuation alone",
        "61 80, 1, continuation alone",
        "C0 80, 0, overlong two",
        "C1 BF, 0, overlong two",
        "C3, 0, cut two",
        "C3 28, 0, second is no continuation",
        "C3 C3, 0, second is a lead",
        "E0 80 80, 0, overlong three",
        "E0 9F BF, 0, overlong three",
        "E2 82, 0, cut three",
        "E2, 0, cut three",
        "E2 28 A1, 0, second is no continuation",
        "E2 82 28, 0, third is no continuation",
        "ED A0 80, 0, high surrogate",
        "ED BF BF, 0, low surrogate",
        "ED A0 BD ED B8 80, 0, pair of surrogates",
        "F0 80 80 80, 0, overlong four",
        "F0 8F BF BF, 0, overlong four",
        "F0 9F 98, 0, cut four",
        "F0 9F, 0, cut four",
        "F0, 0, cut four",
        "F0 28 8C BC, 0, second is no continuation",
        "F0 90 28 BC, 0, third is no continuation",
        "F0 90 8C 28, 0, fourth is no continuation",
        "F4 90 80 80, 0, above the last character",
        "F5 80 80 80, 0, lead of nothing",
        "F8 88 80 80 80, 0, five bytes",
        "FE, 0, lead of nothing",
        "FF, 0, lead of nothing",
        "61 62 63 64 65 66 67 68 FF, 8, behind eight of ASCII",
        "C3 A9 E2 82 AC F0 9F 98 80 ED A0 80, 9, behind others",
    })
    void illFormedTextIsMalformedAtItsFirstBadCharacter(String hex, int at, String name) {
        byte[] text = HexFormat.of().parseHex(hex.replace(" ", ""));
        for (int size = 1; size <= text.length + 2; size++) {
            ReadableRegions regions = new ReadableRegions(withLength(text), size);
            MalformedDataException e = assertThrows(MalformedDataException.class, regions.in::readUtf8, name);
            assertEquals("ill-formed UTF-8 at offset " + (1 + at) + " of result job/1/2#0", e.getMessage());
            regions.audit();
        }
    }

    @Test
    void everyCharacterSurvives() throws IOException {
        WritableRegions written = new WritableRegions(65_536);
        StringBuilder line = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c += 64) {
            line.setLength(0);
            for (int k = 0; k < 64; k++) {
                if (c + k < Character.MIN_SURROGATE || c + k > Character.MAX_SURROGATE) {
                    line.appendCodePoint(c + k);
                }
            }
            written.out.writeUtf8(line);
        }
        ReadableRegions read = new ReadableRegions(written.bytes(), 4_099);
        int next = 0;
        while (!read.in.exhausted()) {
            int[] points = read.in.readUtf8().codePoints().toArray();
            for (int k = 0; k < points.length; k++) {
                assertEquals(next + k, points[k]);
            }
            next += 64;
        }
        assertEquals(Character.MAX_CODE_POINT + 1, next);
        read.audit();
    }

    @Test
    void encodesAsTheJdkDoesAcrossEveryEdge() throws IOException {
        String text = "a\u00E9\u20AC\uD83D\uDE00z\uD83D\uDE00\uD83D\uDE00\u20AC\u00E9\u00E9abcdefgh";
        byte[] expected = text.getBytes(StandardCharsets.UTF_8);
        for (int size = 1; size <= 70; size++) {
            for (int ahead = 0; ahead <= size; ahead++) {
                WritableRegions regions = new WritableRegions(size);
                regions.out.writeBytes(new byte[ahead], 0, ahead);
                regions.out.writeUtf8(text);
                byte[] bytes = regions.bytes();
                assertArrayEquals(withLength(expected), Arrays.copyOfRange(bytes, ahead, bytes.length));
            }
        }
    }

    @Test
    void everyPairOfBytesIsJudgedAsTheJdkDoes() {
        byte[] bytes = new byte[2];
        for (int both = 0; both < 1 << 16; both++) {
            bytes[0] = (byte) (both >> 8);
            bytes[1] = (byte) both;
            assertJudgedAsTheJdkDoes(bytes);
        }
    }

    /** Leads and continuations at the edges of what is well-formed, in every order. */
    @Test
    void everyFourEdgesAreJudgedAsTheJdkDoes() {
        int[] edges = {
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF
        };
        byte[] bytes = new byte[4];
        for (int a : edges) {
            for (int b : edges) {
                for (int c : edges) {
                    for (int d : edges) {
                        bytes[0] = (byte) a;
                        bytes[1] = (byte) b;
                        bytes[2] = (byte) c;
                        bytes[3] = (byte) d;
                        assertJudgedAsTheJdkDoes(bytes);
                    }
                }
            }
        }
    }

    @Test
    void randomTextIsWrittenAsTheJdkDoes() throws IOException {
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            char[] chars = new char[random.nextInt(40)];
            int kind = random.nextInt(4);
            for (int i = 0; i < chars.length; i++) {
                chars[i] = (char) (random.nextInt(4) >= kind ? random.nextInt(0x80) : random.nextInt(0x10000));
            }
            String text = new String(chars);
            byte[] expected = encodedByTheJdk(text);
            WritableRegions regions = new WritableRegions(1 + random.nextInt(200));
            if (expected == null) {
                assertThrows(MalformedDataException.class, () -> regions.out.writeUtf8(text), "seed " + seed);
                assertEquals(0, regions.bytes().length, "seed " + seed);
            } else {
                regions.out.writeUtf8(text);
                assertArrayEquals(withLength(expected), regions.bytes(), "seed " + seed);
            }
        }
    }

    @Test
    void textThatChangesWhileItIsWrittenIsNoticed() {
        CharSequence fickle = new CharSequence() {
            private int calls;

            @Override
            public int length() {
                return 1000;
            }

            @Override
            public char charAt(int index) {
                return calls++ < 1500 ? 'a' : '\u00E9';
            }

            @Override
            public CharSequence subSequence(int start, int end) {
                throw new AssertionError();
            }
        };
        WritableRegions regions = new WritableRegions(20);
        assertThrows(IllegalStateException.class, () -> regions.out.writeUtf8(fickle));
    }

    private static void assertJudgedAsTheJdkDoes(byte[] bytes) {
        boolean wellFormed = Utf8.wellFormedEnd(bytes, 0, bytes.length) == bytes.length;
        boolean accepted;
        try {
            StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes));
            accepted = true;
        } catch (CharacterCodingException e) {
            accepted = false;
        }
        if (accepted != wellFormed) {
            throw new AssertionError(HexFormat.of().formatHex(bytes) + ": JDK " + accepted + ", ours " + wellFormed);
        }
    }

    private static byte[] encodedByTheJdk(String text) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8
                    .newEncoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .encode(CharBuffer.wrap(text));
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return copy;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static byte[] withLength(byte[] text) {
        byte[] length = new byte[10];
        int width = Varint.put(length, 0, text.length);
        byte[] all = Arrays.copyOf(length, width + text.length);
        System.arraycopy(text, 0, all, width, text.length);
        return all;
    }
}
