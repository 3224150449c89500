// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

/** How deep a value on its way is nested. */
abstract class Nesting {

    final ValueLimits limits;
    private int depth;

    /** The deepest since {@link #begin}. */
    private int deepest;

    Nesting(ValueLimits limits) {
        this.limits = limits;
    }

    final void descend() throws Misfit {
        require(++depth);
    }

    final void ascend() {
        depth--;
    }

    private void require(int reached) throws Misfit {
        if (reached > deepest) {
            if (reached > limits.depth()) {
                throw Misfit.beyond("nested too deep", limits.depth(), reached);
            }
            deepest = reached;
        }
    }

    /** Measures anew how deep a value goes; returns what {@link #height} wants back. */
    final int begin() {
        int before = deepest;
        deepest = depth;
        return before;
    }

    /** The levels that the value took since {@link #begin}. */
    final int height(int before) {
        int height = deepest - depth;
        deepest = Math.max(deepest, before);
        return height;
    }

    /** What is referred to counts as if it stood here: no graph of objects is deeper than without references. */
    final void referTo(int height) throws Misfit {
        require(depth + height);
    }
}
