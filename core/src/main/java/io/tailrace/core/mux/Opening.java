// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import java.util.function.Consumer;

/** What {@link Incarnations} answer to an attempt that opens its result. */
public sealed interface Opening {

    /** Not seen before: it may go on, and must be settled. */
    final class Fresh implements Opening {
        private final Incarnations owner;
        private final Attempt attempt;

        Fresh(Incarnations owner, Attempt attempt) {
            this.owner = owner;
            this.attempt = attempt;
        }

        /** As {@link Incarnations#settle}, for this very opening, whoever has opened the same attempt since. */
        public boolean settle(ResultFate fate) {
            return owner.settle(attempt, fate);
        }
    }

    /** Refused: another attempt counts. */
    record Stale(int instead) implements Opening {}

    /** A replay of an attempt that has ended: it is told the same again. */
    record Recorded(ResultFate fate) implements Opening {}

    /** A replay of an attempt that is open, on a connection not yet known to be dead perhaps. */
    final class Running implements Opening {
        private final Incarnations owner;
        private final Attempt attempt;

        Running(Incarnations owner, Attempt attempt) {
            this.owner = owner;
            this.attempt = attempt;
        }

        /**
         * Asks to be told the open one's fate, once: by the thread that settles or supersedes it, or here and now if it
         * has ended meanwhile.
         *
         * @return false when {@value Incarnations#MAX_WAITERS} wait already; then it is not told
         */
        public boolean whenEnded(Consumer<ResultFate> waiter) {
            return owner.await(attempt, waiter);
        }

        /** Makes room for another waiter. This one may be told all the same if the fate is being told right now. */
        public void withdraw(Consumer<ResultFate> waiter) {
            owner.withdraw(attempt, waiter);
        }
    }
}
