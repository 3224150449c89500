// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of a task, from its opening to its fate.
 *
 * <p><b>Threads.</b> All under the lock of the {@link Incarnations} that made it.
 */
final class Attempt {
    final ResultId id;
    final TaskRecord task;
    final Consumer<ResultId> superseded;
    List<Consumer<ResultFate>> waiters = List.of();

    @Nullable
    ResultFate fate;

    Attempt(ResultId id, TaskRecord task, Consumer<ResultId> superseded) {
        this.id = id;
        this.task = task;
        this.superseded = superseded;
    }

    boolean addWaiter(Consumer<ResultFate> waiter, int most) {
        if (waiters.isEmpty()) {
            waiters = new ArrayList<>(1); // hardly any attempt has one
        }
        return waiters.size() < most && waiters.add(waiter);
    }

    void removeWaiter(Consumer<ResultFate> waiter) {
        if (!waiters.isEmpty()) {
            waiters.remove(waiter);
        }
    }
}
