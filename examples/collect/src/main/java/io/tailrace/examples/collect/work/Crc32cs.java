// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

/**
 * The arithmetic of CRC32Cs: the sum of a text from those of its two halves, so that tasks' sums join into the file's.
 *
 * <p>A CRC is a polynomial over two elements modulo the Castagnoli polynomial, lowest power in the highest bit. To
 * append n bytes multiplies what came before by x^(8n).
 */
final class Crc32cs {

    private static final int POLYNOMIAL = 0x82F63B78;
    private static final int ONE = 1 << 31;
    private static final int X_TO_THE_8 = ONE >>> 8;

    private Crc32cs() {}

    /** The CRC32C of a text followed by another of that many bytes. */
    static int concatenate(int first, int second, long secondBytes) {
        return times(first, power(X_TO_THE_8, secondBytes)) ^ second;
    }

    private static int power(int base, long exponent) {
        int power = ONE;
        int square = base;
        for (long rest = exponent; rest != 0; rest >>>= 1) {
            if ((rest & 1) != 0) {
                power = times(power, square);
            }
            square = times(square, square);
        }
        return power;
    }

    private static int times(int a, int b) {
        int product = 0;
        int shifted = b;
        for (int bit = ONE; bit != 0; bit >>>= 1) {
            if ((a & bit) != 0) {
                product ^= shifted;
            }
            shifted = (shifted >>> 1) ^ ((shifted & 1) != 0 ? POLYNOMIAL : 0);
        }
        return product;
    }
}
