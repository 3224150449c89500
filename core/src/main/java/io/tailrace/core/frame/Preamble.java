// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static io.tailrace.core.frame.FrameLayout.*;

import io.tailrace.core.wire.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** The sixteen bytes at the start of every file and of each direction of a connection. */
public enum Preamble {
    FILE(1, MINOR_VERSION, "a file"),
    CONNECTION(2, MINOR_VERSION, "a plain connection"),
    MULTIPLEXED(3, MULTIPLEXED_MINOR_VERSION, "a multiplexed connection");

    private final byte purpose;
    private final byte minor;
    private final String name;

    Preamble(int purpose, int minor, String name) {
        this.purpose = (byte) purpose;
        this.minor = (byte) minor;
        this.name = name;
    }

    public byte[] bytes() {
        byte[] bytes = new byte[PREAMBLE_LENGTH];
        FrameHeader.LONG.set(bytes, 0, MAGIC);
        bytes[PREAMBLE_MAJOR_OFFSET] = MAJOR_VERSION;
        bytes[PREAMBLE_MINOR_OFFSET] = minor;
        bytes[PREAMBLE_PURPOSE_OFFSET] = purpose;
        FrameHeader.INT.set(bytes, PREAMBLE_CRC_OFFSET, checksum(bytes));
        return bytes;
    }

    /** Checks a whole preamble of a plain stream: a file or one direction of a connection. */
    static void verify(byte[] bytes) throws MalformedDataException {
        Preamble found = verifyAll(bytes);
        if (found == MULTIPLEXED) {
            throw lost(found.name + ", not a plain stream", PREAMBLE_PURPOSE_OFFSET);
        }
    }

    /**
     * Checks as much of the preamble as has come, the whole of it when that is all: a stranger is refused at its first
     * wrong byte, another purpose by its name.
     */
    public static void verify(byte[] bytes, int received, Preamble expected) throws MalformedDataException {
        verifyMagic(bytes, received);
        if (received >= PREAMBLE_LENGTH) {
            Preamble found = verifyAll(bytes);
            if (found != expected) {
                throw lost(found.name + ", not " + expected.name, PREAMBLE_PURPOSE_OFFSET);
            }
        }
    }

    /** A newer minor version is accepted. */
    private static Preamble verifyAll(byte[] bytes) throws MalformedDataException {
        verifyMagic(bytes, 8);
        int actual = checksum(bytes);
        if (actual != (int) FrameHeader.INT.get(bytes, PREAMBLE_CRC_OFFSET)) {
            throw lost("preamble checksum does not match", PREAMBLE_CRC_OFFSET);
        }
        int major = bytes[PREAMBLE_MAJOR_OFFSET] & 0xFF;
        if (major != MAJOR_VERSION) {
            throw MalformedDataException.framingLost(
                    "unknown major version", MAJOR_VERSION, major, PREAMBLE_MAJOR_OFFSET, null);
        }
        Preamble found = of(bytes[PREAMBLE_PURPOSE_OFFSET]);
        if (bytes[PREAMBLE_RESERVED_OFFSET] != 0) {
            throw lost("reserved byte of the preamble is not 0", PREAMBLE_RESERVED_OFFSET);
        }
        return found;
    }

    private static Preamble of(byte purpose) throws MalformedDataException {
        for (Preamble each : values()) {
            if (each.purpose == purpose) {
                return each;
            }
        }
        throw lost("unknown purpose " + (purpose & 0xFF) + " in the preamble", PREAMBLE_PURPOSE_OFFSET);
    }

    /** Checks as much of the magic as has come, so that a stranger is refused at its first wrong byte. */
    static void verifyMagic(byte[] bytes, int received) throws MalformedDataException {
        for (int i = 0; i < Math.min(received, 8); i++) {
            if (bytes[i] != (byte) (MAGIC >>> (8 * i))) {
                throw lost("not a Tailrace stream: it begins with " + describe(bytes, Math.min(received, 8)), i);
            }
        }
    }

    private static String describe(byte[] bytes, int length) {
        String hex = HexFormat.ofDelimiter(" ").formatHex(bytes, 0, length);
        String text = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        if (text.matches("(?s)(GET|PUT|POST|HEAD|HTTP|PRI|OPTI|DELE|PATC|CONN|TRAC).*")) {
            return hex + " (HTTP)";
        }
        boolean tls = length >= 2 && bytes[0] >= 0x14 && bytes[0] <= 0x17 && bytes[1] == 0x03;
        return tls ? hex + " (TLS)" : hex;
    }

    private static MalformedDataException lost(String reason, int offset) {
        return MalformedDataException.framingLost(
                reason, MalformedDataException.NONE, MalformedDataException.NONE, offset, null);
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, PREAMBLE_CRC_OFFSET);
        return (int) crc.getValue();
    }
}
