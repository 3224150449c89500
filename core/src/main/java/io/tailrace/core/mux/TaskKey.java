// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import org.jspecify.annotations.Nullable;

/** A task of a job. */
sealed class TaskKey permits TaskRecord {
    final long stage;
    final long task;

    TaskKey(long stage, long task) {
        this.stage = stage;
        this.task = task;
    }

    @Override
    public final boolean equals(@Nullable Object other) {
        return other instanceof TaskKey key && key.stage == stage && key.task == task;
    }

    @Override
    public final int hashCode() {
        return 31 * Long.hashCode(stage) + Long.hashCode(task);
    }
}
