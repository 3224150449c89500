// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

/** What is done for a result that has wanted credit for too long. */
public interface Starving {

    /** Nothing: it waits in memory. */
    Starving WAITS = result -> {};

    /** Has the result {@linkplain Outgoing#moveTo moved} to disk, elsewhere than on the loop. Once for each result. */
    void spill(Outgoing result);

    /** To that directory, by that executor. */
    static Starving spilling(SpillDirectory directory, java.util.concurrent.Executor executor) {
        return result -> result.spillOn(executor, directory);
    }
}
