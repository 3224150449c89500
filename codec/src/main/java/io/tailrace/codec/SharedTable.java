// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The newest values of one shared definition, each with the levels it takes; writer and reader forget the same ones. */
final class SharedTable {

    static final int MOST = 1 << 16;

    private @Nullable Object[] values = {};
    private int[] heights = {};
    private int held;

    /** The slot of the next value. */
    private int next;

    /** Returns its slot. */
    int add(Object value, int height) {
        if (next >= values.length) { // never once it is full
            int length = Math.min(MOST, Math.max(16, 2 * next));
            values = Arrays.copyOf(values, length);
            heights = Arrays.copyOf(heights, length);
        }
        int slot = next;
        values[slot] = value;
        heights[slot] = height;
        count();
        return slot;
    }

    /** A value that nobody will ask for. */
    void count() {
        next = (next + 1) % MOST;
        held = Math.min(held + 1, MOST);
    }

    /** What the next value will push out, if any. */
    @Nullable
    Object oldest() {
        return held < MOST ? null : values[next];
    }

    int next() {
        return next;
    }

    /** The slot of the n-th newest. */
    int slot(int back) {
        return Math.floorMod(next - back, MOST);
    }

    /** How new the value in that slot is, 1 for the newest. */
    int back(int slot) {
        return Math.floorMod(next - slot - 1, MOST) + 1;
    }

    void requireHeld(int back, Shape shape, long at) throws Misfit {
        if (back < 0 || back > held) {
            throw Misfit.malformed("reference beyond the values held of " + shape, held, back & 0xFFFF_FFFFL, at);
        }
    }

    @Nullable
    Object value(int slot) {
        return values[slot];
    }

    int height(int slot) {
        return heights[slot];
    }
}
