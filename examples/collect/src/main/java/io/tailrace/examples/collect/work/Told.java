// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import java.util.Iterator;
import java.util.function.Function;
import java.util.function.LongConsumer;

/** Passes elements on, each made into what is wanted, and tells now and then how many they were. */
final class Told<A, B> implements Iterator<B> {

    private final Iterator<A> from;
    private final Function<A, B> made;
    private final LongConsumer progress;
    private int untold;

    Told(Iterator<A> from, Function<A, B> made, LongConsumer progress) {
        this.from = from;
        this.made = made;
        this.progress = progress;
    }

    @Override
    public boolean hasNext() {
        boolean more = from.hasNext();
        if (!more || untold == LineItems.STEP) {
            progress.accept(untold);
            untold = 0;
        }
        return more;
    }

    @Override
    public B next() {
        untold++;
        return made.apply(from.next());
    }
}
