// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.concurrent.Executor;

/**
 * One thread that runs all of a connection's tasks, those for now in order.
 *
 * <p><b>Threads.</b> Any thread gives tasks.
 */
public interface Loop extends Executor {

    /** Runs a task a millisecond or two later, so that there is more for it to do. Not at once: it may ask for the same again. */
    void executeSoon(Runnable task);
}
