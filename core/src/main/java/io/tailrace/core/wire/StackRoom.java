// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

/**
 * A look ahead on the thread's stack, taken before a buffer changes hands.
 *
 * <p>A codec that recurses through a deep value overflows the stack wherever it happens to be, and once a region is full,
 * or drained, that may be inside the machinery below it: a chunk half sent, or half released, is lost to the process for
 * ever. So the overflow is provoked first, where nothing has changed yet; the codec's own error is then a failure like any
 * other.
 */
final class StackRoom {

    /** Some 15 KiB: more than what sealing, compressing, sending, failing, reading were seen to need when interpreted. */
    private static final int FRAMES = 100;

    private StackRoom() {}

    /** @throws StackOverflowError when there is less room than that */
    static void require() {
        if (descend(FRAMES, 1, 2, 3, 4) == 0) {
            throw new AssertionError("descended to nothing");
        }
    }

    /** The numbers are there to make each frame wide: they must survive the call within. */
    private static long descend(int frames, long a, long b, long c, long d) {
        if (frames == 0) {
            return 1;
        }
        long deeper = descend(frames - 1, b, c, d, a + frames);
        return (deeper | 1) + 2 * (a ^ b) + 4 * (c ^ d);
    }
}
