// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.nio.charset.StandardCharsets;

/** UTF-8, strictly: no surrogates, no overlong forms, nothing above U+10FFFF. */
final class Utf8 {

    /** A char of the basic plane takes at most three bytes; a pair of surrogates takes four for its two chars. */
    static final int MAX_BYTES_PER_CHAR = 3;

    /** Up to here a loop over the chars is faster than any bulk method, and the length in front is a single byte. */
    static final int SHORT_CHARS = 16;

    static final int SHORT_BYTES = 1 + SHORT_CHARS * MAX_BYTES_PER_CHAR;

    private static final long TOP_BITS = 0x8080_8080_8080_8080L;

    private Utf8() {}

    private static boolean isPair(CharSequence text, int at, int end) {
        return at + 1 < end
                && Character.isHighSurrogate(text.charAt(at))
                && Character.isLowSurrogate(text.charAt(at + 1));
    }

    /**
     * Writes a short text, its length in front, where there are {@link #SHORT_BYTES} of room. Returns the place behind it, or -1
     * when it has no UTF-8 form.
     */
    static int putShort(String text, byte[] array, int to) {
        int chars = text.length();
        int ascii = putAscii(text, chars, array, to + 1);
        int end = ascii == chars ? to + 1 + chars : putRest(text, ascii, array, to + 1 + ascii);
        array[to] = (byte) (end - to - 1);
        return end;
    }

    /** Nothing else in this loop: with the other cases inside, JDK 25 was seen to compile it several times slower. */
    private static int putAscii(String text, int chars, byte[] array, int to) {
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                return i;
            }
            array[to + i] = (byte) c;
        }
        return chars;
    }

    private static int putRest(String text, int from, byte[] array, int to) {
        int chars = text.length();
        int at = to;
        for (int i = from; i < chars; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                array[at++] = (byte) c;
            } else if (c < 0x800) {
                array[at++] = (byte) (0xC0 | (c >> 6));
                array[at++] = (byte) (0x80 | (c & 0x3F));
            } else if (!Character.isSurrogate(c)) {
                array[at++] = (byte) (0xE0 | (c >> 12));
                array[at++] = (byte) (0x80 | ((c >> 6) & 0x3F));
                array[at++] = (byte) (0x80 | (c & 0x3F));
            } else if (isPair(text, i, chars)) {
                at = putPair(Character.toCodePoint(c, text.charAt(++i)), array, at);
            } else {
                return -1;
            }
        }
        return at;
    }

    private static int putPair(int codePoint, byte[] array, int at) {
        array[at] = (byte) (0xF0 | (codePoint >> 18));
        array[at + 1] = (byte) (0x80 | ((codePoint >> 12) & 0x3F));
        array[at + 2] = (byte) (0x80 | ((codePoint >> 6) & 0x3F));
        array[at + 3] = (byte) (0x80 | (codePoint & 0x3F));
        return at + 4;
    }

    /** The first byte at or behind {@code from} that is not ASCII, or {@code end}. */
    static int asciiEnd(byte[] array, int from, int end) {
        int at = from;
        while (at <= end - Long.BYTES && (LittleEndian.getLong(array, at) & TOP_BITS) == 0) {
            at += Long.BYTES;
        }
        while (at < end && array[at] >= 0) {
            at++;
        }
        return at;
    }

    /** Well-formed bytes as a text. ASCII by the charset whose decoder is a plain copy. */
    static String decode(byte[] array, int from, int length) {
        boolean ascii = asciiEnd(array, from, from + length) == from + length;
        return new String(array, from, length, ascii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
    }

    /** The first byte of the first ill-formed character at or behind {@code from}, or {@code end}. */
    static int wellFormedEnd(byte[] array, int from, int end) {
        int at = from;
        while (true) {
            at = asciiEnd(array, at, end);
            if (at == end) {
                return end;
            }
            int length = characterLength(array, at, end);
            if (length == 0) {
                return at;
            }
            at += length;
        }
    }

    /** The length of the well-formed character of several bytes that begins here, or 0. */
    private static int characterLength(byte[] array, int at, int end) {
        int lead = array[at] & 0xFF;
        if (lead < 0xC2 || lead > 0xF4) {
            return 0;
        }
        int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (end - at < length || !secondFits(lead, array[at + 1] & 0xFF)) {
            return 0;
        }
        for (int i = 2; i < length; i++) {
            if ((array[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    /** The second byte decides on overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4). */
    private static boolean secondFits(int lead, int second) {
        int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        return second >= low && second <= high;
    }
}
