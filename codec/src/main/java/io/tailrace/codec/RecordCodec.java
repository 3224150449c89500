// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/**
 * What the codecs derived for classes have in common; {@link RecordClass} makes the rest of each, as flat as if written by
 * hand.
 */
abstract class RecordCodec<T> extends Codec<T> {

    private final RecordPlan plan;
    private final Shape shape;

    RecordCodec(RecordPlan plan) {
        this.plan = plan;
        this.shape = Shape.of(plan.definition());
    }

    @Override
    final Shape shape() {
        return shape;
    }

    final void requireExact(Object value) throws Misfit {
        plan.requireExact(value);
    }

    /** A loop for each derived class, so that each has a profile of its own. */
    @Override
    abstract long writeEach(Iterator<? extends T> values, Out out) throws IOException;

    @Override
    abstract void readEach(List<? super T> into, int from, int to, In in) throws IOException;

    @Override
    final Codec<T> reading(Shape written, Evolution evolution) throws IOException {
        return new LooseRecord<T>(plan, written, evolution);
    }

    /** The field that was being written or read; before the first, the marks; beyond the last, the object itself. */
    final IOException failed(Throwable e, int field) {
        if (field < 0) {
            return Misfit.under(e, "");
        }
        if (field < plan.fields().size()) {
            return Misfit.under(e, plan.field(field).name());
        }
        return Misfit.under(e, "new " + plan.type().getSimpleName());
    }

    static IOException failedElement(Throwable e, long index) {
        return Misfit.under(e, "[" + index + "]");
    }

    static IOException missing() {
        return Misfit.missing();
    }

    static Object present(Object value) throws Misfit {
        if (value == null) {
            throw Misfit.missing();
        }
        return value;
    }
}
