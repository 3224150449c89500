// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.ResultId;
import org.apache.spark.TaskContext;

/**
 * A task attempt on its thread, kept beyond the moment in which Spark unsets its context.
 *
 * <p><b>Threads.</b> The task's; any thread asks whether it is killed.
 */
final class RunningTask {

    private final TaskContext context;
    private int hits;

    RunningTask(TaskContext context) {
        this.context = context;
    }

    /** Unique in the application, and what the driver claims the value by. */
    long id() {
        return context.taskAttemptId();
    }

    /** How many attempts there were before. */
    int attempt() {
        return context.attemptNumber();
    }

    /** One name for each attempt: which of them counts is Spark's to say. */
    ResultId resultId() {
        StageAttempt stage = new StageAttempt(context.stageId(), context.stageAttemptNumber());
        return new ResultId(stage.job(), stage.stage(), id(), attempt());
    }

    /** False from the second time on: what Spark would serialise twice goes its own way. */
    boolean takeHit() {
        return hits++ == 0;
    }

    int hits() {
        return hits;
    }

    boolean isKilled() {
        return context.isInterrupted();
    }

    /** @throws org.apache.spark.TaskKilledException when it is */
    void throwIfKilled() {
        context.killTaskIfInterrupted();
    }
}
