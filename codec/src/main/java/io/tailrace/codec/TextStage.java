// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;

/** Room for one short text on its way: its characters, and its bytes with the length in front. */
final class TextStage {

    final char[] chars = new char[Text.SHORT_CHARS];

    /** What {@link #narrow} gives. */
    final byte[] narrow = new byte[Text.SHORT_CHARS];

    /** A whole text with its length. */
    final byte[] whole = new byte[(int) Text.room(Text.SHORT_CHARS)];

    private final CharBuffer charView = CharBuffer.wrap(chars);
    private final ByteBuffer byteView = ByteBuffer.wrap(narrow);
    private final CharsetEncoder latin1 = StandardCharsets.ISO_8859_1.newEncoder();

    /**
     * Narrows so many of {@link #chars} to the front of {@link #narrow}, from array to array, the fastest way that public
     * methods offer; false when one of them is above 255.
     */
    boolean narrow(int count) {
        charView.clear().limit(count);
        byteView.clear();
        return !latin1.reset().encode(charView, byteView, true).isError();
    }
}
