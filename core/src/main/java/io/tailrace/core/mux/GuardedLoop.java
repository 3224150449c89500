// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.function.Consumer;

/**
 * A loop whose tasks, should one of them fail, are told of: the loop itself would log it and go on, with a connection that
 * stands still.
 *
 * <p><b>Threads.</b> Any thread gives tasks, the loop runs them. The consumer is set before the connection is known to others.
 */
final class GuardedLoop implements Loop {

    private final Loop loop;
    private Consumer<Throwable> fault = e -> {
        throw new IllegalStateException(e);
    };

    GuardedLoop(Loop loop) {
        this.loop = loop;
    }

    void onFault(Consumer<Throwable> told) {
        fault = told;
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(() -> run(task));
    }

    @Override
    public void executeSoon(Runnable task) {
        loop.executeSoon(() -> run(task));
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            fault.accept(e);
        }
    }
}
