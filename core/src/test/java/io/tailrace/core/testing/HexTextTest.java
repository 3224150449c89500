// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class HexTextTest {

    @Test
    void commentsOffsetsAndSpacesAreNoBytes() {
        String text = """
                # 11 22
                0000: 89 54 ; 33
                0002: 524c  # 44

                  0D
                """;
        assertArrayEquals(new byte[] {(byte) 0x89, 0x54, 0x52, 0x4C, 0x0D}, HexText.parse(text));
    }

    @Test
    void wrongOffsetIsRefusedWithItsLine() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> HexText.parse("00 01\n0003: 02"));
        assertEquals("line 2: the line states offset 3 and begins at 2", e.getMessage());
    }

    @Test
    void halfBytesAndOtherLettersAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> HexText.parse("0"));
        assertThrows(IllegalArgumentException.class, () -> HexText.parse("0G"));
    }

    @Test
    void formattedBytesAreReadBack() {
        byte[] bytes = new byte[37];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 7);
        }
        assertArrayEquals(bytes, HexText.parse(HexText.format(bytes)));
    }

    @Test
    void examplesAreTheNamedFences() {
        String markdown = """
                ```hex name=one
                01
                ```
                ```
                02
                ```
                ```hex name=two
                03
                ```
                """;
        Map<String, byte[]> examples = HexText.examples(markdown);
        assertEquals(List.of("one", "two"), List.copyOf(examples.keySet()));
        assertArrayEquals(new byte[] {3}, examples.get("two"));
    }

    @Test
    void vectorWithoutExpectationIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> FrameVector.parse("mute", "# says nothing\n00"));
        assertTrue(FrameVector.parse("empty", "# nothing\n# expect: nothing\n")
                .expected()
                .isEmpty());
    }

    @Test
    void expectationsAreReadToTheirLastWord() {
        Expectation expected = Expectation.parse("malformed row=H1 reason~\"header checksum\" scope=connection");
        assertEquals("header checksum", expected.reason());
        assertTrue(expected.connectionOver());
        assertThrows(IllegalArgumentException.class, () -> Expectation.parse("end payload"));
        assertThrows(IllegalArgumentException.class, () -> Expectation.parse("ended"));
    }
}
