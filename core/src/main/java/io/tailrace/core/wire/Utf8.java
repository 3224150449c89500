// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.nio.charset.StandardCharsets;

/** UTF-8, strictly: no surrogates, no overlong forms, nothing above U+10FFFF. */
final class Utf8 {

    /** A char of the basic plane takes at most three bytes; a pair of surrogates takes four for its two chars. */
    static final int MAX_BYTES_PER_CHAR = 3;

    private static final long TOP_BITS = 0x8080_8080_8080_8080L;

    private Utf8() {}

    /** The length in bytes, or the index of the first unpaired surrogate as its complement (negative). */
    static long length(CharSequence text, int chars) {
        long bytes = chars;
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            if (c >= 0x800) {
                bytes += 2;
                if (Character.isSurrogate(c)) {
                    if (!isPair(text, i, chars)) {
                        return ~i;
                    }
                    i++;
                }
            } else if (c >= 0x80) {
                bytes++;
            }
        }
        return bytes;
    }

    static boolean isPair(CharSequence text, int at, int end) {
        return at + 1 < end
                && Character.isHighSurrogate(text.charAt(at))
                && Character.isLowSurrogate(text.charAt(at + 1));
    }

    /**
     * Encodes the chars in front of {@code end} into an array with room for the longest outcome, and returns the place behind
     * the last byte, or the index of the first unpaired surrogate as its complement (negative).
     */
    static int encode(CharSequence text, int from, int end, byte[] array, int to) {
        int at = to;
        for (int i = from; i < end; i++) {
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
            } else if (isPair(text, i, end)) {
                at = encodePair(Character.toCodePoint(c, text.charAt(++i)), array, at);
            } else {
                return ~i;
            }
        }
        return at;
    }

    private static int encodePair(int codePoint, byte[] array, int at) {
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
