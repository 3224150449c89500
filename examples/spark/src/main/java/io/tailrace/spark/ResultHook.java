// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.lang.StackWalker.StackFrame;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.jspecify.annotations.Nullable;

/**
 * Knows the one stream of a task into which Spark serialises its result: on the task's own thread, when the task has run and its
 * context is gone, into Spark's chunked buffer, called by the runner of tasks.
 *
 * <p>Shuffles, broadcasts and cached blocks meet one or two of these, never all.
 *
 * <p><b>Threads.</b> A task's state is its own thread's.
 */
final class ResultHook {

    static final String RUNNER = "org.apache.spark.executor.Executor$TaskRunner";
    private static final int FRAMES = 8;

    private static final StackWalker STACK = StackWalker.getInstance();
    private static final ThreadLocal<@Nullable RunningTask> CURRENT = new ThreadLocal<>();

    private ResultHook() {}

    /** A task begins on this thread. */
    static void begin(RunningTask task) {
        CURRENT.set(task);
    }

    /** It has ended; null if there was none. */
    static @Nullable RunningTask end() {
        RunningTask task = CURRENT.get();
        CURRENT.remove();
        return task;
    }

    /** Whose result is about to be written to a chunked buffer, by this thread; null for anything else. */
    static @Nullable RunningTask taskOf() {
        RunningTask task = CURRENT.get();
        if (task == null || TaskContext.get() != null || !STACK.walk(ResultHook::belowRunner)) {
            return null;
        }
        return task.takeHit() ? task : null;
    }

    private static boolean belowRunner(Stream<StackFrame> frames) {
        return frames.limit(FRAMES).anyMatch(frame -> frame.getClassName().equals(RUNNER));
    }
}
