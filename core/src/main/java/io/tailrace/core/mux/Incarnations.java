// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What has become of each attempt of each task, so that a replay is told its first fate, and of rivals one counts.
 *
 * <p>A task is a job's, stage's and task's number; its attempts are told apart by theirs, and a greater one is newer.
 * An attempt that is superseded has ended, even where its own thread does not know yet.
 *
 * <p><b>Memory.</b> A task is kept while an attempt of it runs, which the connections bound; of those without, the last
 * {@code maxRecords} to end. One that was dropped, by that bound or with its job, is not known: a replay of any attempt
 * of it would be taken for new, and a value accepted before could be accepted again. So the bound belongs well above
 * the number of tasks that end while a connection is made anew. Of one task the last {@value TaskRecord#MAX_FATES} fates
 * are kept; a replay of one before is refused as stale.
 *
 * <p><b>Threads.</b> Any thread opens and settles; all state is under one lock, held for a few look-ups. Of two threads
 * that settle or supersede an attempt exactly one does. Callbacks run outside the lock, on the thread whose call caused
 * them, and may call back in; one may run before the {@code open} that brought it has returned. What they throw is
 * logged: it is not that thread's business.
 */
public final class Incarnations {

    /** Most replays of one attempt that wait for its fate at a time. */
    public static final int MAX_WAITERS = 4;

    private static final Logger LOG = System.getLogger(Incarnations.class.getName());

    /** Which of a task's attempts counts. */
    public enum Policy {
        /** The newest: it supersedes one that runs, and is let in after one that was accepted, as when an output was lost. */
        NEWEST_WINS,
        /** The first accepted: attempts run side by side until then, as in Spark's speculation, and none is let in later. */
        FIRST_ACCEPTED_WINS
    }

    private final Object lock = new Object();
    private final Policy policy;
    private final int maxRecords;
    private final Map<String, Map<TaskKey, TaskRecord>> jobs = new HashMap<>();

    /** The ends of the line of those of which nothing runs, in the order in which they ended. */
    private @Nullable TaskRecord oldest;

    private @Nullable TaskRecord youngest;
    private int records;

    private int running;

    /** One where the newest wins. */
    public Incarnations(int maxRecords) {
        this(maxRecords, Policy.NEWEST_WINS);
    }

    /** @param maxRecords most tasks remembered of which no attempt runs, 1 or more */
    public Incarnations(int maxRecords, Policy policy) {
        if (maxRecords < 1) {
            throw new IllegalArgumentException("at most " + maxRecords + " records");
        }
        this.maxRecords = maxRecords;
        this.policy = Objects.requireNonNull(policy, "policy");
    }

    /**
     * Judges an attempt that begins.
     *
     * @param superseded called at most once, with the attempt that counts instead, when this one is let in and another
     *     takes its place before it is settled
     */
    public Opening open(ResultId id, Consumer<ResultId> superseded) {
        Objects.requireNonNull(superseded, "superseded");
        List<Runnable> calls = new ArrayList<>(0);
        Opening opening;
        synchronized (lock) {
            opening = judge(id, superseded, calls);
        }
        run(calls);
        return opening;
    }

    private Opening judge(ResultId id, Consumer<ResultId> superseded, List<Runnable> calls) {
        int number = id.attempt();
        TaskRecord task = find(id);
        if (task != null) {
            ResultFate fate = task.fate(number);
            if (fate != null) {
                return new Opening.Recorded(fate);
            }
            Attempt open = task.running(number);
            if (open != null) {
                return new Opening.Running(this, open);
            }
            Integer instead = task.instead(number);
            if (instead != null) {
                return new Opening.Stale(instead);
            }
        } else {
            task = new TaskRecord(id.job(), id.stage(), id.task(), number);
            jobs.computeIfAbsent(id.job(), job -> new HashMap<>()).put(task, task);
        }
        leaveLine(task);
        if (policy == Policy.NEWEST_WINS) {
            supersedeAll(task, id, calls);
        }
        Attempt attempt = new Attempt(id, task, superseded);
        task.run(attempt, policy == Policy.NEWEST_WINS);
        running++;
        return new Opening.Fresh(this, attempt);
    }

    /**
     * Ends an attempt.
     *
     * @return whether it was the one that counts, so that its peer may be told this fate; false when it was superseded or
     *     settled before, or never let in: then this fate is nobody's
     */
    public boolean settle(ResultId id, ResultFate fate) {
        Attempt attempt;
        synchronized (lock) {
            TaskRecord task = find(id);
            attempt = task == null ? null : task.running(id.attempt());
        }
        return attempt != null && settle(attempt, fate);
    }

    boolean settle(Attempt attempt, ResultFate fate) {
        Objects.requireNonNull(fate, "fate");
        List<Runnable> calls = new ArrayList<>(0);
        synchronized (lock) {
            if (attempt.fate != null) {
                return false;
            }
            TaskRecord task = attempt.task;
            boolean last = policy == Policy.FIRST_ACCEPTED_WINS;
            end(attempt, fate, calls);
            task.record(attempt.id.attempt(), fate, last);
            if (last && fate.verdict() == Verdict.ACCEPTED) {
                supersedeAll(task, attempt.id, calls);
            }
            if (task.isIdle()) {
                keep(task);
            }
        }
        run(calls);
        return true;
    }

    /** Drops a job's records, all but those of attempts that run: these go when they end. */
    public void forget(String job) {
        synchronized (lock) {
            Map<TaskKey, TaskRecord> tasks = jobs.get(job);
            if (tasks == null) {
                return;
            }
            tasks.values().removeIf(task -> {
                task.forget();
                return leaveLine(task);
            });
            if (tasks.isEmpty()) {
                jobs.remove(job);
            }
        }
    }

    /** Tasks of which no attempt runs and a fate is remembered. */
    public int records() {
        synchronized (lock) {
            return records;
        }
    }

    /** Attempts let in and neither settled nor superseded. */
    public int running() {
        synchronized (lock) {
            return running;
        }
    }

    boolean await(Attempt attempt, Consumer<ResultFate> waiter) {
        Objects.requireNonNull(waiter, "waiter");
        ResultFate fate;
        synchronized (lock) {
            fate = attempt.fate;
            if (fate == null) {
                return attempt.addWaiter(waiter, MAX_WAITERS);
            }
        }
        run(List.of(() -> waiter.accept(fate)));
        return true;
    }

    void withdraw(Attempt attempt, Consumer<ResultFate> waiter) {
        synchronized (lock) {
            attempt.removeWaiter(waiter);
        }
    }

    private @Nullable TaskRecord find(ResultId id) {
        Map<TaskKey, TaskRecord> tasks = jobs.get(id.job());
        return tasks == null ? null : tasks.get(new TaskKey(id.stage(), id.task()));
    }

    /** They need no record: {@link TaskRecord#instead} refuses their replays from now on. */
    private void supersedeAll(TaskRecord task, ResultId by, List<Runnable> calls) {
        for (Attempt old : task.running()) {
            end(old, new ResultFate(Verdict.SUPERSEDED, "attempt " + by.attempt() + " counts instead", false), calls);
            calls.add(() -> old.superseded.accept(by));
        }
    }

    private void end(Attempt attempt, ResultFate fate, List<Runnable> calls) {
        attempt.fate = fate;
        attempt.task.ended(attempt);
        running--;
        for (Consumer<ResultFate> waiter : attempt.waiters) {
            calls.add(() -> waiter.accept(fate));
        }
        attempt.waiters = List.of();
    }

    private void keep(TaskRecord task) {
        if (task.forgotten) {
            drop(task);
            return;
        }
        TaskRecord last = youngest;
        task.inLine = true;
        task.endedBefore = last;
        if (last == null) {
            oldest = task;
        } else {
            last.endedAfter = task;
        }
        youngest = task;
        records++;
        TaskRecord first = oldest;
        if (records > maxRecords && first != null) {
            leaveLine(first);
            drop(first);
        }
    }

    /** False when it was not in it. */
    private boolean leaveLine(TaskRecord task) {
        if (!task.inLine) {
            return false;
        }
        TaskRecord before = task.endedBefore;
        TaskRecord after = task.endedAfter;
        if (before == null) {
            oldest = after;
        } else {
            before.endedAfter = after;
        }
        if (after == null) {
            youngest = before;
        } else {
            after.endedBefore = before;
        }
        task.endedBefore = null;
        task.endedAfter = null;
        task.inLine = false;
        records--;
        return true;
    }

    private void drop(TaskRecord task) {
        Map<TaskKey, TaskRecord> tasks = Objects.requireNonNull(jobs.get(task.job), "a record's job");
        tasks.remove(task);
        if (tasks.isEmpty()) {
            jobs.remove(task.job);
        }
    }

    private static void run(List<Runnable> calls) {
        for (Runnable call : calls) {
            try {
                call.run();
            } catch (Throwable e) {
                LOG.log(Level.ERROR, "a callback of an attempt that ended failed", e);
            }
        }
    }
}
