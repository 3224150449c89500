// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

final class ByteSizeTest {

    @Test
    void unitsArePowersOf1024() {
        assertEquals(65_536, ByteSize.parse("65536").bytes());
        assertEquals(65_536, ByteSize.parse("64k").bytes());
        assertEquals(67_108_864, ByteSize.parse("64M").bytes());
        assertEquals(2_147_483_648L, ByteSize.parse("2g").bytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "-1", "0", "1.5m", "64mb", "9999999999999g"})
    void otherTextIsRefused(String text) {
        assertThrows(TypeConversionException.class, () -> ByteSize.parse(text));
    }

    @Test
    void sizesAreShownInTheirUnit() {
        assertEquals("512 B", new ByteSize(512).toString());
        assertEquals("64.0 KiB", new ByteSize(65_536).toString());
        assertEquals("64.0 MiB", new ByteSize(64 << 20).toString());
        assertEquals("2.00 GiB", new ByteSize(2L << 30).toString());
    }
}
