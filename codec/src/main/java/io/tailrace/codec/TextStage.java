// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Room for one short text on its way: its characters, and its bytes with the length in front. It grows with what comes. */
final class TextStage {

    private static final int LEAST = 64;

    private final CharsetEncoder latin1 = StandardCharsets.ISO_8859_1.newEncoder();
    private char[] chars = new char[LEAST];
    private byte[] narrow = new byte[LEAST];
    private byte[] whole = {};
    private CharBuffer charView = CharBuffer.wrap(chars);
    private ByteBuffer byteView = ByteBuffer.wrap(narrow);

    /** Has room for so many, at most {@link Text#SHORT_CHARS}; what was in there stays. */
    char[] chars(int count) {
        if (count > chars.length) {
            chars = Arrays.copyOf(chars, grown(count));
            narrow = new byte[chars.length];
            charView = CharBuffer.wrap(chars);
            byteView = ByteBuffer.wrap(narrow);
        }
        return chars;
    }

    /** For a whole text with its length: room for so many bytes. */
    byte[] whole(int bytes) {
        if (bytes > whole.length) {
            whole = new byte[grown(bytes)];
        }
        return whole;
    }

    /** What {@link #narrow(int)} gives. */
    byte[] narrow() {
        return narrow;
    }

    /**
     * Narrows so many of the characters to bytes, from array to array, the fastest way that public methods offer; false when
     * one of them is above 255.
     */
    boolean narrow(int count) {
        charView.clear().limit(count);
        byteView.clear();
        return !latin1.reset().encode(charView, byteView, true).isError();
    }

    private static int grown(int atLeast) {
        return Integer.highestOneBit(atLeast - 1) << 1;
    }
}
