// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.concurrent.Executor;

/**
 * One thread that runs all of a connection's tasks, those for now in order.
 *
 * <p><b>Threads.</b> Any thread gives tasks.
 */
@FunctionalInterface
public interface Loop extends Executor {

    /** Runs a task a millisecond or two later, so that there is more for it to do; a loop may as well run it at once. */
    default void executeSoon(Runnable task) {
        execute(task);
    }
}
