// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Iterator;

/** Spark's own local iterator, one partition at a time. */
record StockIterator<T>(Iterator<T> from) implements ElementIterator<T> {

    @Override
    public boolean hasNext() {
        return from.hasNext();
    }

    @Override
    public T next() {
        return from.next();
    }

    @Override
    public void close() {}
}
