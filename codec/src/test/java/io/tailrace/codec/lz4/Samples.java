// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import java.util.SplittableRandom;

/** Bytes of a known compressibility, the same for the same seed. */
enum Samples {
    /** All of one byte. */
    ZEROS {
        @Override
        byte[] bytes(int length, long seed) {
            return new byte[length];
        }
    },
    /** Random runs and runs seen before, about half and half. */
    HALF {
        @Override
        byte[] bytes(int length, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = new byte[length];
            int at = 0;
            while (at < length) {
                int run = Math.min(8 + random.nextInt(56), length - at);
                if (at > 64 && random.nextBoolean()) {
                    int from = random.nextInt(Math.max(0, at - 8_000), at - run >= 0 ? at - run + 1 : 1);
                    System.arraycopy(bytes, from, bytes, at, run);
                } else {
                    for (int i = at; i < at + run; i++) {
                        bytes[i] = (byte) random.nextInt();
                    }
                }
                at += run;
            }
            return bytes;
        }
    },
    /** Nothing to gain. */
    RANDOM {
        @Override
        byte[] bytes(int length, long seed) {
            byte[] bytes = new byte[length];
            new SplittableRandom(seed).nextBytes(bytes);
            return bytes;
        }
    };

    abstract byte[] bytes(int length, long seed);
}
