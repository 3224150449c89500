// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Gathering} knows of one partition: which attempt delivers it, which wait, and what the consumer has not taken yet.
 *
 * <p><b>Threads.</b> All of it under the gathering's lock.
 */
final class GatheredPartition {

    private final int index;
    private final ArrayDeque<List<Object>> inbox = new ArrayDeque<>();
    private final ArrayDeque<Attempt> waiting = new ArrayDeque<>();
    private @Nullable Attempt owner;
    private long delivered;
    private boolean done;

    GatheredPartition(int index) {
        this.index = index;
    }

    int index() {
        return index;
    }

    /** Elements put in, taken or not. */
    long delivered() {
        return delivered;
    }

    /** Whether an attempt has brought it to its end. */
    boolean isDone() {
        return done;
    }

    boolean hasBatch() {
        return !inbox.isEmpty();
    }

    void put(List<Object> elements) {
        delivered += elements.size();
        inbox.add(elements);
    }

    /** @param asks whether another batch is to come in its place */
    List<Object> take(boolean asks) {
        List<Object> taken = inbox.remove();
        if (owner != null && asks) {
            owner.ask(1);
        }
        return taken;
    }

    boolean isOwned() {
        return owner != null;
    }

    boolean isOwnedBy(Attempt attempt) {
        return attempt.equals(owner);
    }

    void adopt(Attempt attempt) {
        owner = attempt;
    }

    void await(Attempt attempt) {
        waiting.add(attempt);
    }

    void forget(Attempt attempt) {
        waiting.remove(attempt);
    }

    /** The owner broke off; returns who is next. */
    @Nullable
    Attempt next() {
        owner = null;
        return waiting.poll();
    }

    /** The owner has brought all; returns those that came too late. */
    List<Attempt> complete() {
        done = true;
        owner = null;
        return giveUp();
    }

    /** Returns all attempts that are open. */
    List<Attempt> giveUp() {
        List<Attempt> open = new ArrayList<>(waiting);
        if (owner != null) {
            open.add(owner);
            owner = null;
        }
        waiting.clear();
        return open;
    }
}
