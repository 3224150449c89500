// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Takes the elements out of a list: where one was, null remains. */
final class Taken<E> implements Iterator<E> {

    private final List<@Nullable E> list;
    private int next;

    Taken(List<E> list) {
        this.list = list;
    }

    @Override
    public boolean hasNext() {
        return next < list.size();
    }

    @Override
    @SuppressWarnings("NullAway") // what was null in the list is refused by whoever writes it
    public E next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return list.set(next++, null);
    }
}
