// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.MalformedDataException;
import java.util.Arrays;

/** A small run-length compression under a private number: what is compressible is for the test to choose. */
public final class PackBits implements BlockCompression {

    private static final int LONGEST = 128;

    @Override
    public int id() {
        return 0x8001;
    }

    @Override
    public String implementation() {
        return "PackBits";
    }

    @Override
    public int maxCompressedLength(int rawLength) {
        return rawLength + rawLength / LONGEST + 1;
    }

    @Override
    public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
        int to = dstOff;
        int end = srcOff + length;
        int at = srcOff;
        while (at < end) {
            int run = run(src, at, end);
            if (run > 2) {
                dst[to++] = (byte) (1 - run);
                dst[to++] = src[at];
                at += run;
                continue;
            }
            int from = at;
            while (at < end && at - from < LONGEST && run(src, at, end) <= 2) {
                at++;
            }
            dst[to++] = (byte) (at - from - 1);
            System.arraycopy(src, from, dst, to, at - from);
            to += at - from;
        }
        return to - dstOff;
    }

    private static int run(byte[] src, int at, int end) {
        int limit = Math.min(end, at + LONGEST);
        int i = at + 1;
        while (i < limit && src[i] == src[at]) {
            i++;
        }
        return i - at;
    }

    @Override
    public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
            throws MalformedDataException {
        int at = srcOff;
        int end = srcOff + length;
        int to = dstOff;
        while (at < end) {
            int control = src[at++];
            int count = control < 0 ? 1 - control : control + 1;
            if (to + count > dstOff + rawLength || at + (control < 0 ? 1 : count) > end) {
                throw new MalformedDataException("run leaves its block", at);
            }
            if (control < 0) {
                Arrays.fill(dst, to, to + count, src[at++]);
            } else {
                System.arraycopy(src, at, dst, to, count);
                at += count;
            }
            to += count;
        }
        if (to != dstOff + rawLength) {
            throw new MalformedDataException("block is too short", rawLength, to - dstOff, at, null);
        }
    }
}
