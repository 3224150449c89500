// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.WireOutput;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** One value on its way out: where it is written, how deep it is nested, and the text stage, made when first needed. */
final class Out extends Nesting {

    final WireOutput wire;
    private @Nullable TextStage stage;
    private @Nullable IdentityHashMap<Definition, SharedPlaces> shared;

    Out(WireOutput wire, ValueLimits limits) {
        super(limits);
        this.wire = wire;
    }

    TextStage stage() {
        TextStage made = stage;
        if (made == null) {
            made = new TextStage();
            stage = made;
        }
        return made;
    }

    /** The table of that definition. */
    SharedPlaces shared(Definition definition) {
        IdentityHashMap<Definition, SharedPlaces> tables = shared;
        if (tables == null) {
            tables = new IdentityHashMap<>();
            shared = tables;
        }
        return tables.computeIfAbsent(definition, each -> new SharedPlaces());
    }
}
