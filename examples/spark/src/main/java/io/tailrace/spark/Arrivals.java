// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Values that have come and wait for Spark to meet their token.
 *
 * <p>A value is kept until it is claimed, until Spark says that its task has ended, or that no job needs its stage: an executor may
 * be lost behind the acknowledgement, and a rival attempt may win.
 *
 * <p><b>Threads.</b> Any: decoding threads begin and put, Spark's result getters claim, its listener bus ends. All state is
 * under one lock.
 */
final class Arrivals {

    private static final int MOST_REMEMBERED = 65_536;

    /** A result on its way; of one attempt there is one. */
    static final class Arrival {
        private final long task;
        private final StageAttempt stage;
        private final StageTotals.Account account;
        private final Consumer<String> cancel;
        private @Nullable Object value;
        private boolean here;
        private boolean claimed;
        private boolean over;

        private Arrival(long task, StageAttempt stage, StageTotals.Account account, Consumer<String> cancel) {
            this.task = task;
            this.stage = stage;
            this.account = account;
            this.cancel = cancel;
        }
    }

    private final Object lock = new Object();
    private final Map<Long, Arrival> byTask = new HashMap<>();
    private final Map<Long, Boolean> sweptTasks = remembering();
    private final Map<Integer, Boolean> endedStages = remembering();
    private final Runnable swept;

    /** @param swept told of each value that was here and that nobody claimed */
    Arrivals(Runnable swept) {
        this.swept = swept;
    }

    private static <K> Map<K, Boolean> remembering() {
        return new LinkedHashMap<>() {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, Boolean> eldest) {
                return size() > MOST_REMEMBERED;
            }
        };
    }

    /**
     * A result begins to arrive.
     *
     * @param cancel stops it, when nobody wants it any more
     * @throws CancellationException when nobody does
     */
    Arrival begin(long task, StageAttempt stage, StageTotals.Account account, Consumer<String> cancel) {
        Arrival begun = new Arrival(task, stage, account, cancel);
        synchronized (lock) {
            if (endedStages.containsKey(stage.stage()) || byTask.putIfAbsent(task, begun) != null) {
                account.refund();
                throw new CancellationException("nobody waits for a result of task " + task);
            }
        }
        return begun;
    }

    /**
     * It is here whole.
     *
     * @throws CancellationException when nobody wants it any more
     */
    void put(Arrival arrival, Object value) {
        synchronized (lock) {
            if (arrival.over) {
                throw new CancellationException("task " + arrival.task + " has ended");
            }
            arrival.value = value;
            arrival.here = true;
        }
    }

    /** It will not come. */
    void abandon(Arrival arrival) {
        synchronized (lock) {
            arrival.account.refund();
            arrival.over = true;
            byTask.remove(arrival.task, arrival);
        }
    }

    /**
     * Takes a task's value, once. Null where Spark has already been told that the task has ended some other way: it passes over such a
     * result, since whatever ended the task was told first.
     *
     * @throws IllegalStateException when there is none
     */
    @Nullable
    Object claim(long task) {
        synchronized (lock) {
            Arrival arrival = byTask.get(task);
            if (arrival == null || !arrival.here || arrival.claimed) {
                if (arrival == null && sweptTasks.containsKey(task)) {
                    return null;
                }
                throw new IllegalStateException("the value of task " + task + " is not here");
            }
            Object value = arrival.value;
            arrival.value = null;
            arrival.claimed = true;
            return value;
        }
    }

    /**
     * Spark is through with a task attempt.
     *
     * @return whether a result of it had come this way
     */
    boolean taskEnded(long task, boolean counts) {
        Arrival arrival;
        synchronized (lock) {
            arrival = byTask.remove(task);
        }
        if (arrival != null) {
            end(arrival, counts);
        }
        return arrival != null;
    }

    /** No job needs these stages any more. */
    void stagesEnded(Collection<Integer> stages) {
        List<Arrival> over;
        synchronized (lock) {
            stages.forEach(stage -> endedStages.put(stage, true));
            over = byTask.values().stream()
                    .filter(arrival -> stages.contains(arrival.stage.stage()))
                    .toList();
            over.forEach(arrival -> byTask.remove(arrival.task));
        }
        over.forEach(arrival -> end(arrival, true));
    }

    private void end(Arrival arrival, boolean counts) {
        boolean unclaimed;
        boolean coming;
        synchronized (lock) {
            arrival.over = true;
            coming = !arrival.here;
            unclaimed = arrival.here && !arrival.claimed;
            arrival.value = null;
            if (!arrival.claimed) {
                sweptTasks.put(arrival.task, true);
            }
            if (!arrival.claimed || !counts) {
                arrival.account.refund();
            }
        }
        if (coming) {
            arrival.cancel.accept("its task has ended");
        } else if (unclaimed) {
            swept.run();
        }
    }

    /** Values that are here and were not claimed. */
    int unclaimed() {
        synchronized (lock) {
            return (int) byTask.values().stream()
                    .filter(arrival -> arrival.here && !arrival.claimed)
                    .count();
        }
    }
}
