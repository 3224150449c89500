// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class NaiveLz4Test {

    @Test
    void runsOfEveryLengthExpandToThemselves() {
        for (int length = 14; length < 1_100; length++) {
            byte[] run = new byte[length];
            Arrays.fill(run, (byte) 'r');
            byte[] block = NaiveLz4.run('r', length);
            assertTrue(block.length < length, "pays at " + length);
            assertArrayEquals(run, NaiveLz4.expand(block, length));
        }
    }

    @Test
    void anyOtherRawLengthIsRefused() {
        byte[] block = NaiveLz4.run('r', 300);
        for (int length = 0; length < 600; length++) {
            int rawLength = length;
            if (length != 300) {
                assertThrows(IllegalArgumentException.class, () -> NaiveLz4.expand(block, rawLength));
            }
        }
    }

    @Test
    void everyCutOfABlockIsRefused() {
        byte[] block = NaiveLz4.run('r', 300);
        for (int length = 0; length < block.length; length++) {
            byte[] cut = Arrays.copyOf(block, length);
            assertThrows(IllegalArgumentException.class, () -> NaiveLz4.expand(cut, 300));
        }
    }
}
