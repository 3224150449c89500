// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Short UTF-8 texts in the bodies of open and failure frames, where a length in bytes stands in front. */
final class FrameText {

    private FrameText() {}

    /** Then each character is a byte, and nothing need be made to know it. */
    static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 0x7F) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAscii(byte[] array, int from, int length) {
        int seen = 0;
        for (int i = from; i < from + length; i++) {
            seen |= array[i];
        }
        return seen >= 0;
    }

    /** Encodes a text, cut at a character's boundary so that it takes at most {@code limit} bytes. */
    static byte[] encode(String text, int limit) {
        // A character takes at least one byte: what lies beyond the limit in chars can be dropped unseen.
        String head = text.length() > limit ? text.substring(0, wholeCharacters(text, limit)) : text;
        byte[] bytes = head.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= limit) {
            return bytes;
        }
        int end = limit;
        while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return Arrays.copyOf(bytes, end);
    }

    private static int wholeCharacters(String text, int end) {
        return end > 0 && Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end;
    }

    /** Reads {@code length} bytes at the reader index; they must lie within the body and be UTF-8. */
    static String read(ByteBuf body, int length, String frame, String field) throws MalformedDataException {
        if (length > body.readableBytes()) {
            throw new MalformedDataException(
                    frame + " is too short for its " + field, body.readableBytes(), length, body.readerIndex(), null);
        }
        int from = body.arrayOffset() + body.readerIndex();
        if (isAscii(body.array(), from, length)) {
            body.skipBytes(length);
            return new String(body.array(), from, length, StandardCharsets.ISO_8859_1);
        }
        ByteBuffer bytes = ByteBuffer.wrap(body.array(), from, length);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            body.skipBytes(length);
            return text;
        } catch (CharacterCodingException e) {
            MalformedDataException told = new MalformedDataException("text is not UTF-8: " + field, body.readerIndex());
            told.initCause(e);
            throw told;
        }
    }

    /** The same where the text may well be {@code like}, which is then returned: nothing is made. */
    static String read(ByteBuf body, int length, @Nullable String like, String frame, String field)
            throws MalformedDataException {
        if (like == null || like.length() != length || length > body.readableBytes()) {
            return read(body, length, frame, field);
        }
        byte[] array = body.array();
        int from = body.arrayOffset() + body.readerIndex();
        for (int i = 0; i < length; i++) { // a byte that is no ASCII is negative, and so no character
            if (array[from + i] != like.charAt(i)) {
                return read(body, length, frame, field);
            }
        }
        body.skipBytes(length);
        return like;
    }
}
