// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import io.tailrace.core.testing.NaiveLz4;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.MalformedDataException;
import java.util.Arrays;

/** Compression 1, expanded by the referee's own code; it makes a block of what is one byte repeated, and nothing else. */
final class NaiveBlocks implements BlockCompression {

    @Override
    public int id() {
        return 1;
    }

    @Override
    public String implementation() {
        return "naive";
    }

    @Override
    public int maxCompressedLength(int rawLength) {
        return rawLength + rawLength / 255 + 16;
    }

    @Override
    public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
        for (int i = 1; i < length; i++) {
            if (src[srcOff + i] != src[srcOff]) {
                return length;
            }
        }
        if (length < 14) {
            return length;
        }
        byte[] block = NaiveLz4.run(src[srcOff], length);
        System.arraycopy(block, 0, dst, dstOff, block.length);
        return block.length;
    }

    @Override
    public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
            throws MalformedDataException {
        try {
            byte[] raw = NaiveLz4.expand(Arrays.copyOfRange(src, srcOff, srcOff + length), rawLength);
            System.arraycopy(raw, 0, dst, dstOff, rawLength);
        } catch (IllegalArgumentException e) {
            throw new MalformedDataException(String.valueOf(e.getMessage()), 0);
        }
    }
}
