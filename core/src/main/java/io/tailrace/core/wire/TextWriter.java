// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * Writes text that is not short, through a stage of its own: chars out of the text in bulk, then the JDK's encoder from array to
 * array, the fastest way that public methods offer beyond some twenty chars, then one copy. What fits the stage is encoded
 * once; longer text twice, because its length comes first.
 */
final class TextWriter {

    private static final int STAGE_CHARS = 512;

    private final WireOutput out;
    private final char[] chars = new char[STAGE_CHARS];
    private final byte[] bytes = new byte[STAGE_CHARS * Utf8.MAX_BYTES_PER_CHAR];
    private final CharBuffer charView = CharBuffer.wrap(chars);
    private final ByteBuffer byteView = ByteBuffer.wrap(bytes);
    private final CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();

    TextWriter(WireOutput out) {
        this.out = out;
    }

    void write(CharSequence text) throws IOException {
        int length = text.length();
        int staged = stage(text, 0, length);
        if (staged < length) {
            writeInStages(text, staged, length);
        } else {
            out.writeVarInt(byteView.position());
            out.writeBytes(bytes, 0, byteView.position());
        }
    }

    private void writeInStages(CharSequence text, int staged, int length) throws IOException {
        long total = byteView.position();
        for (int at = staged; at < length; ) {
            at = stage(text, at, length);
            total += byteView.position();
        }
        if (total > Integer.MAX_VALUE) {
            throw new ResultTooLargeException("text too long", Integer.MAX_VALUE, total, out.written(), out.resultId());
        }
        out.writeVarLong(total);
        long end = out.written() + total;
        for (int at = 0; at < length; ) {
            at = stage(text, at, length);
            out.writeBytes(bytes, 0, byteView.position());
        }
        if (out.written() != end) {
            throw new IllegalStateException("text changed while it was written");
        }
    }

    /**
     * Encodes the chars from {@code from} on, as many as the stage holds, to the bytes in front of the view's position. Returns
     * where the rest begins: a pair of surrogates is never cut.
     */
    private int stage(CharSequence text, int from, int length) throws MalformedDataException {
        int end = Math.min(length, from + STAGE_CHARS);
        if (text instanceof String string) {
            string.getChars(from, end, chars, 0);
        } else {
            for (int i = from; i < end; i++) {
                chars[i - from] = text.charAt(i);
            }
        }
        charView.clear().limit(end - from);
        byteView.clear();
        CoderResult result = encoder.reset().encode(charView, byteView, end == length);
        int at = from + charView.position();
        if (result.isError()) {
            throw new MalformedDataException(
                    "text has no UTF-8 form: unpaired surrogate at character " + at, out.written(), out.resultId());
        }
        return at;
    }
}
