// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The JDK's little-endian views of the slabs written last, as elements of one type. Each is made once, because a result
 * goes through the same few slabs again and again; they live as long as the result's output.
 *
 * @param <B> a buffer of the elements' type
 */
final class SlabViews<B> {

    /** As many as a window has by default. Of more, or where elements begin anywhere, views are made anew. */
    private static final int MOST = 8;

    private final Function<ByteBuffer, B> asElements;
    private final List<View<B>> views = new ArrayList<>(MOST);
    private int oldest;

    SlabViews(Function<ByteBuffer, B> asElements) {
        this.asElements = asElements;
    }

    /** The slab as elements, the first of which begins at {@code phase}. */
    B of(byte[] slab, int phase) {
        for (int i = 0; i < views.size(); i++) {
            View<B> view = views.get(i);
            if (view.slab == slab && view.phase == phase) {
                return view.elements;
            }
        }
        View<B> made = make(slab, phase);
        if (views.size() < MOST) {
            views.add(made);
        } else {
            views.set(oldest, made);
            oldest = (oldest + 1) % MOST;
        }
        return made.elements;
    }

    private View<B> make(byte[] slab, int phase) {
        ByteBuffer bytes = ByteBuffer.wrap(slab).order(ByteOrder.LITTLE_ENDIAN).position(phase);
        return new View<>(slab, phase, asElements.apply(bytes));
    }

    private static final class View<B> {
        private final byte[] slab;
        private final int phase;
        private final B elements;

        View(byte[] slab, int phase, B elements) {
            this.slab = slab;
            this.phase = phase;
            this.elements = elements;
        }
    }
}
