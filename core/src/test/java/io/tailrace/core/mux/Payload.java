// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** The bytes of each task: a stretch of one long pattern, which nothing else looks like. */
record Payload(int from, int length) {

    private static final byte[] PATTERN = new byte[4 << 20];

    static {
        new SplittableRandom(42).nextBytes(PATTERN);
    }

    static Payload of(long task, int length) {
        return new Payload(Math.floorMod(task * 7919, PATTERN.length - length), length);
    }

    /** That of a result whose length its stage number tells. */
    static Payload of(ResultId id) {
        return of(id.task(), (int) id.stage());
    }

    ByteBuffer view() {
        return ByteBuffer.wrap(PATTERN);
    }

    void copy(int at, byte[] into, int to, int bytes) {
        System.arraycopy(PATTERN, from + at, into, to, bytes);
    }

    /** Whether bytes are what comes at that place. */
    boolean continues(int at, byte[] bytes, int begin, int count) {
        return at + count <= length
                && Arrays.equals(PATTERN, from + at, from + at + count, bytes, begin, begin + count);
    }
}
