// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Wakes tasks that were killed while they wait: for a chunk, for the connection or for the driver's word. Spark kills most tasks
 * by a flag alone, which nobody reads who waits.
 *
 * <p><b>Threads.</b> A task begins and ends its own watch; one thread looks. Under the watch's lock, so that no interrupt comes
 * behind its end, when the thread may be another task's.
 */
final class KillWatch implements AutoCloseable {

    private static final long LOOK_MILLIS = 50;

    private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
    private final Thread looking = new Thread(this::look, "tailrace-kill-watch");

    KillWatch() {
        looking.setDaemon(true);
        looking.start();
    }

    /** Watches the task that runs on this thread. */
    Watch begin(RunningTask task) {
        Watch watch = new Watch(task, Thread.currentThread());
        watches.add(watch);
        return watch;
    }

    private void look() {
        try {
            while (true) {
                Thread.sleep(LOOK_MILLIS);
                watches.forEach(Watch::look);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    @Override
    public void close() {
        looking.interrupt();
    }

    /** One task's. */
    final class Watch implements AutoCloseable {
        private final RunningTask task;
        private final Thread thread;
        private boolean over;

        private Watch(RunningTask task, Thread thread) {
            this.task = task;
            this.thread = thread;
        }

        private synchronized void look() {
            if (!over && task.isKilled()) {
                thread.interrupt(); // Spark clears it when it reports the task
            }
        }

        @Override
        public void close() {
            synchronized (this) {
                over = true;
            }
            watches.remove(this);
        }
    }
}
