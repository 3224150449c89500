// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;

/** Writes text as a varint of its byte length and its UTF-8, in one pass where the region surely holds it, else in two. */
final class TextWriter {

    private TextWriter() {}

    /** Writes into the region, which holds the longest outcome, without committing; returns the offset behind it. */
    static int inPlace(WireOutput out, CharSequence text, int chars) throws MalformedDataException {
        byte[] array = out.array();
        int from = out.offset();
        // Room for the length as if all were ASCII, which it mostly is.
        int guess = Varint.length(chars);
        int end = Utf8.encode(text, 0, chars, array, from + guess);
        if (end < 0) {
            throw unpaired(out, ~end);
        }
        int bytes = end - from - guess;
        int exact = Varint.length(bytes);
        if (exact != guess) {
            System.arraycopy(array, from + guess, array, from + exact, bytes);
        }
        return Varint.put(array, from, bytes) + bytes;
    }

    static void acrossRegions(WireOutput out, CharSequence text, int chars) throws IOException {
        long bytes = Utf8.length(text, chars);
        if (bytes < 0) {
            throw unpaired(out, ~bytes);
        }
        if (bytes > Integer.MAX_VALUE) {
            throw new ResultTooLargeException("text too long", Integer.MAX_VALUE, bytes, out.written(), null);
        }
        out.writeVarLong(bytes);
        long end = out.written() + bytes;
        int at = 0;
        while (at < chars) {
            int room = (out.limit() - out.offset()) / Utf8.MAX_BYTES_PER_CHAR;
            int run = wholeCharacters(text, at, Math.min(chars, at + room));
            if (run == at) {
                at = oneCharacter(out, text, at, chars);
            } else {
                out.commit(encoded(Utf8.encode(text, at, run, out.array(), out.offset())));
                at = run;
            }
        }
        if (out.written() != end) {
            throw changed();
        }
    }

    /** The end of the chars from {@code at} to {@code end}, less a surrogate cut off from its partner. */
    private static int wholeCharacters(CharSequence text, int at, int end) {
        return end > at && Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
    }

    /** Near the region's end: a character whose bytes may straddle. */
    private static int oneCharacter(WireOutput out, CharSequence text, int at, int chars) throws IOException {
        int end = Utf8.isPair(text, at, chars) ? at + 2 : at + 1;
        byte[] bytes = new byte[4];
        int length = encoded(Utf8.encode(text, at, end, bytes, 0));
        out.writeBytes(bytes, 0, length);
        return end;
    }

    private static int encoded(int end) {
        if (end < 0) {
            throw changed();
        }
        return end;
    }

    private static IllegalStateException changed() {
        return new IllegalStateException("text changed while it was written");
    }

    private static MalformedDataException unpaired(WireOutput out, long at) {
        return new MalformedDataException(
                "text has no UTF-8 form: unpaired surrogate at character " + at, out.written());
    }
}
