// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.codec.elements.StringBytes;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Text on the wire: a varint of its length in bytes × 4 + coding, then the bytes (VALUE_FORMAT.md, "Text"). The coding
 * follows from the text alone, so the bytes are the same whichever way they are had: Latin-1 where every character is
 * below 256; else UTF-8 where it is short and has such a form; else UTF-16.
 */
final class Text {

    static final int LATIN_1 = 0;
    static final int UTF_8 = 1;
    static final int UTF_16 = 2;

    /** Longer text is UTF-16 if it is not Latin-1: then its length is known without encoding it first. */
    static final int SHORT_CHARS = 4_096;

    /** Up to here a loop over the characters is the fastest public way. */
    private static final int LOOP_CHARS = 12;

    /** Flags are text of one character, of which there are many alike. */
    private static final String[] SINGLE = new String[256];

    static {
        for (int i = 0; i < SINGLE.length; i++) {
            SINGLE[i] = String.valueOf((char) i);
        }
    }

    private Text() {}

    /** The most bytes that {@link #put} takes; more than any region has for what is not short. */
    static long room(String text) {
        return room(text.length());
    }

    static long room(int chars) {
        return chars <= SHORT_CHARS ? 3L * chars + 3 : Integer.MAX_VALUE;
    }

    static long roomIfAny(@Nullable String text) {
        return text == null ? 0 : room(text);
    }

    /** Writes short text where there is {@link #room}; returns the place behind it. */
    static int put(String text, byte[] array, int at, Out out) {
        return StringBytes.OPEN ? putDirect(text, array, at) : putPublic(text, array, at, out.stage());
    }

    static int putDirect(String text, byte[] array, int at) {
        if (!StringBytes.isLatin1(text)) {
            return putWide(text, array, at);
        }
        byte[] bytes = StringBytes.of(text);
        int from = header(array, at, bytes.length, LATIN_1);
        // Stores of our own for a few bytes were slower: their branches on the length are mispredicted.
        System.arraycopy(bytes, 0, array, from, bytes.length);
        return from + bytes.length;
    }

    static int putPublic(String text, byte[] array, int at, TextStage stage) {
        int length = text.length();
        if (length > LOOP_CHARS) {
            text.getChars(0, length, stage.chars(length), 0);
            if (!stage.narrow(length)) {
                return putWide(text, array, at);
            }
            int from = header(array, at, length, LATIN_1);
            System.arraycopy(stage.narrow(), 0, array, from, length);
            return from + length;
        }
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c > 0xFF) {
                return putWide(text, array, at);
            }
            array[at + 1 + i] = (byte) c;
        }
        array[at] = (byte) (length << 2 | LATIN_1);
        return at + 1 + length;
    }

    private static int putWide(String text, byte[] array, int at) {
        if (hasUnpairedSurrogate(text)) {
            int from = header(array, at, 2 * text.length(), UTF_16);
            for (int i = 0; i < text.length(); i++) {
                Bytes.put(array, from + 2 * i, text.charAt(i));
            }
            return from + 2 * text.length();
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int from = header(array, at, bytes.length, UTF_8);
        System.arraycopy(bytes, 0, array, from, bytes.length);
        return from + bytes.length;
    }

    private static boolean hasUnpairedSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    private static int header(byte[] array, int at, int length, int coding) {
        int rest = length << 2 | coding;
        int to = at;
        while (rest > 0x7F) {
            array[to++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        array[to++] = (byte) rest;
        return to;
    }

    /** Writes any text, across regions. */
    static void write(String text, Out out) throws IOException {
        if (StringBytes.OPEN && StringBytes.isLatin1(text)) {
            byte[] bytes = StringBytes.of(text);
            out.wire.writeVarLong((long) bytes.length << 2 | LATIN_1);
            out.wire.writeBytes(bytes, 0, bytes.length);
        } else if (text.length() <= SHORT_CHARS) {
            byte[] whole = out.stage().whole((int) room(text));
            out.wire.writeBytes(whole, 0, put(text, whole, 0, out));
        } else {
            writeLong(text, out.wire, out.stage());
        }
    }

    private static void writeLong(String text, WireOutput wire, TextStage stage) throws IOException {
        boolean narrow = !StringBytes.OPEN && isLatin1(text, stage);
        long bytes = narrow ? text.length() : 2L * text.length();
        wire.writeVarLong(bytes << 2 | (narrow ? LATIN_1 : UTF_16));
        for (int at = 0; at < text.length(); at += SHORT_CHARS) {
            int run = fill(text, at, stage);
            if (narrow) {
                stage.narrow(run);
                wire.writeBytes(stage.narrow(), 0, run);
            } else {
                wire.writeChars(stage.chars(run), 0, run);
            }
        }
    }

    private static boolean isLatin1(String text, TextStage stage) {
        for (int at = 0; at < text.length(); at += SHORT_CHARS) {
            if (!stage.narrow(fill(text, at, stage))) {
                return false;
            }
        }
        return true;
    }

    private static int fill(String text, int at, TextStage stage) {
        int run = Math.min(SHORT_CHARS, text.length() - at);
        text.getChars(at, at + run, stage.chars(run), 0);
        return run;
    }

    static String read(In in) throws IOException {
        WireInput wire = in.wire;
        byte[] array = wire.array();
        long span = span(array, wire.offset(), wire.limit(), in);
        if (span < 0) {
            return readSlowly(wire);
        }
        wire.commit(end(span));
        return at(array, span);
    }

    /** Where the Latin-1 text at that place lies: start × 2³² + length; -1 if it is not short, or not whole there. */
    static long span(byte[] array, int at, int limit, In in) {
        int from = at;
        if (limit - from >= 2) {
            int header = array[from++];
            if (header < 0) {
                // Negative again if there is a third byte, or if the second is 0, which is one too many.
                byte second = array[from++];
                header = second == 0 ? -1 : (header & 0x7F) | (second << 7);
            }
            int length = header >>> 2;
            if (header >= 0 && (header & 3) == LATIN_1 && length <= limit - from && length <= in.valueLimit) {
                return (long) from << 32 | length;
            }
        }
        return -1;
    }

    static String at(byte[] array, long span) {
        return latin1(array, (int) (span >>> 32), (int) span);
    }

    static int end(long span) {
        return (int) (span >>> 32) + (int) span;
    }

    static String latin1(byte[] bytes, int from, int length) {
        if (length == 1) {
            return SINGLE[bytes[from] & 0xFF];
        }
        if (!StringBytes.OPEN || length == 0) {
            return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
        }
        byte[] own = new byte[length];
        System.arraycopy(bytes, from, own, 0, length);
        return StringBytes.latin1(own);
    }

    private static String readSlowly(WireInput wire) throws IOException {
        long from = wire.position();
        long header = wire.readVarLong();
        return readBytes(wire, header >>> 2, (int) header & 3, from);
    }

    /** @param from where the text began */
    static String readBytes(WireInput wire, long length, int coding, long from) throws IOException {
        if (length > Integer.MAX_VALUE) {
            throw Misfit.malformed("text of " + length + " bytes", from);
        }
        return switch (coding) {
            case LATIN_1 -> new String(wire.readByteArray((int) length), StandardCharsets.ISO_8859_1);
            case UTF_8 -> utf8(wire.readByteArray((int) length), from);
            case UTF_16 -> utf16(wire, (int) length, from);
            default -> throw unknown(coding, from);
        };
    }

    private static Misfit unknown(int coding, long from) {
        return Misfit.malformed("unknown text coding " + coding, from);
    }

    /** Looks at the length and the coding, not at the bytes. */
    static void skip(WireInput wire) throws IOException {
        long from = wire.position();
        long header = wire.readVarLong();
        long length = header >>> 2;
        int coding = (int) header & 3;
        if (coding > UTF_16) {
            throw unknown(coding, from);
        }
        if (coding == UTF_16) {
            requireEven(length, from);
        }
        wire.skip(length);
    }

    private static void requireEven(long length, long from) throws Misfit {
        if ((length & 1) != 0) {
            throw Misfit.malformed("UTF-16 text of an odd number of bytes, " + length, from);
        }
    }

    private static String utf16(WireInput wire, int length, long from) throws IOException {
        requireEven(length, from);
        return new String(wire.readChars(length / 2));
    }

    /** The JDK puts U+FFFD in place of what is ill-formed; only a text that has one is looked at twice. */
    private static String utf8(byte[] bytes, long from) throws Misfit {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0) {
            try {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            } catch (CharacterCodingException e) {
                throw Misfit.malformed("ill-formed UTF-8", from);
            }
        }
        return text;
    }
}
