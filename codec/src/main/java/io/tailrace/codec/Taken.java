// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.util.Iterator;
import java.util.List;
import java.util.ListIterator;
import java.util.NoSuchElementException;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/** Takes the elements out of a list: where one was, null remains. */
final class Taken<E> implements Iterator<E> {

    private final List<@Nullable E> list;
    private int next;

    private Taken(List<@Nullable E> list) {
        this.list = list;
    }

    static <E> Iterator<E> of(List<E> list) {
        return list instanceof RandomAccess ? new Taken<>(list) : new InOrder<>(list.listIterator());
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

    /** The same where to find an element by its index is to go through those in front. */
    private record InOrder<E>(ListIterator<@Nullable E> elements) implements Iterator<E> {

        @Override
        public boolean hasNext() {
            return elements.hasNext();
        }

        @Override
        @SuppressWarnings("NullAway") // as above
        public E next() {
            E element = elements.next();
            elements.set(null);
            return element;
        }
    }
}
