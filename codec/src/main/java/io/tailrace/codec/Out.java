// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireOutput;
import org.jspecify.annotations.Nullable;

/** One value on its way out: where it is written, how deep it is nested, and the text stage, made when first needed. */
final class Out {

    final WireOutput wire;
    private final ValueLimits limits;
    private int depth;
    private @Nullable TextStage stage;

    Out(WireOutput wire, ValueLimits limits) {
        this.wire = wire;
        this.limits = limits;
    }

    TextStage stage() {
        TextStage made = stage;
        if (made == null) {
            made = new TextStage();
            stage = made;
        }
        return made;
    }

    void descend() throws Misfit {
        if (++depth > limits.depth()) {
            throw Misfit.beyond("nested too deep", limits.depth(), depth);
        }
    }

    void ascend() {
        depth--;
    }
}
