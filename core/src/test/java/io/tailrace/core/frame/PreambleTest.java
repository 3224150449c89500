// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.wire.MalformedDataException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class PreambleTest {

    @Test
    void preamblesAreTheseBytes() {
        assertArrayEquals(HexText.parse("89 54 52 4C 52 0D 0A 1A 01 00 01 00 C9 82 52 71"), Preamble.FILE.bytes());
        assertArrayEquals(FrameBytes.connection().preamble(), Preamble.CONNECTION.bytes());
        assertArrayEquals(
                HexText.parse("89 54 52 4C 52 0D 0A 1A 01 01 03 00 59 20 56 F3"), Preamble.MULTIPLEXED.bytes());
        assertArrayEquals(FrameBytes.multiplexed().preamble(), Preamble.MULTIPLEXED.bytes());
    }

    @Test
    void rightBytesAreAcceptedAsTheyCome() throws MalformedDataException {
        for (int minor : new int[] {0, 1, 2, 255}) {
            byte[] whole = FrameBytes.multiplexed().preambleByte(9, minor).preamble();
            for (int received = 0; received <= 16; received++) {
                byte[] bytes = Arrays.copyOf(Arrays.copyOf(whole, received), 16);
                Preamble.verify(bytes, received, Preamble.MULTIPLEXED);
            }
        }
    }

    @Test
    void strangerIsRefusedAtItsFirstWrongByte() throws MalformedDataException {
        for (int wrong = 0; wrong < 8; wrong++) {
            byte[] bytes = Preamble.MULTIPLEXED.bytes();
            bytes[wrong] ^= 0x20;
            Preamble.verify(bytes, wrong, Preamble.MULTIPLEXED);
            assertEquals(
                    wrong,
                    refused(bytes, wrong + 1, Preamble.MULTIPLEXED, "not a Tailrace stream")
                            .offset());
        }
    }

    @Test
    void otherPurposesAreRefusedByName() {
        byte[] file = Preamble.FILE.bytes();
        byte[] connection = Preamble.CONNECTION.bytes();
        byte[] multiplexed = Preamble.MULTIPLEXED.bytes();
        refused(file, 16, Preamble.MULTIPLEXED, "a file, not a multiplexed connection");
        refused(connection, 16, Preamble.MULTIPLEXED, "a plain connection, not a multiplexed connection");
        refused(multiplexed, 16, Preamble.CONNECTION, "a multiplexed connection, not a plain connection");
        MalformedDataException told = assertThrows(MalformedDataException.class, () -> Preamble.verify(multiplexed));
        assertEquals("a multiplexed connection, not a plain stream", told.reason());
        assertTrue(told.framingLost());
    }

    @Test
    void everyOtherByteIsRefusedWhenAllHaveCome() {
        refused(FrameBytes.multiplexed().preambleByte(10, 4).preamble(), 16, Preamble.MULTIPLEXED, "unknown purpose 4");
        refused(FrameBytes.multiplexed().preambleByte(10, 0).preamble(), 16, Preamble.MULTIPLEXED, "unknown purpose 0");
        refused(
                FrameBytes.multiplexed().preambleByte(8, 2).preamble(),
                16,
                Preamble.MULTIPLEXED,
                "unknown major version");
        refused(FrameBytes.multiplexed().preambleByte(11, 1).preamble(), 16, Preamble.MULTIPLEXED, "reserved byte");
        refused(FrameBytes.multiplexed().preambleChecksum(1).preamble(), 16, Preamble.MULTIPLEXED, "preamble checksum");
    }

    private static MalformedDataException refused(byte[] bytes, int received, Preamble expected, String reason) {
        MalformedDataException told =
                assertThrows(MalformedDataException.class, () -> Preamble.verify(bytes, received, expected));
        assertTrue(told.reason().contains(reason), told.reason());
        assertTrue(told.framingLost());
        return told;
    }
}
