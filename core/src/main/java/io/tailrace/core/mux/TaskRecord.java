// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one task's attempts: those that run, the last fates told, and which numbers are out.
 *
 * <p>There are as many of these as results are remembered, and of most tasks there is one attempt: a map that changes is made
 * for the second.
 *
 * <p><b>Threads.</b> All under the lock of the {@link Incarnations} that made it.
 */
final class TaskRecord {
    /** More than an engine tries a task. */
    static final int MAX_FATES = 16;

    final String job;
    final long stage;
    final long task;
    private Map<Integer, Attempt> running = Map.of();
    private Map<Integer, ResultFate> fates = Map.of();
    private int newest;
    /** An attempt below it that neither runs nor is recorded is stale. */
    private int floor = Integer.MIN_VALUE;
    /** The attempt after which no other may follow. */
    private @Nullable Integer winner;
    /** Its job was forgotten: nothing is kept once nothing runs. */
    boolean forgotten;

    TaskRecord(String job, long stage, long task, int first) {
        this.job = job;
        this.stage = stage;
        this.task = task;
        newest = first;
    }

    @Nullable
    ResultFate fate(int attempt) {
        return fates.get(attempt);
    }

    /** The attempt that counts in place of this one, which neither runs nor is recorded; null if this may run. */
    @Nullable
    Integer instead(int attempt) {
        if (winner != null) {
            return winner;
        }
        return attempt < floor ? (Integer) newest : null;
    }

    /** It runs from now on; {@code alone} if lower ones may not any more. */
    void run(Attempt fresh, boolean alone) {
        int attempt = fresh.id.attempt();
        newest = Math.max(newest, attempt);
        if (alone) {
            floor = Math.max(floor, attempt);
        }
        forgotten = false;
        running = with(running, attempt, fresh);
    }

    void ended(Attempt known) {
        if (running.size() == 1) {
            running = Map.of();
        } else {
            running.remove(known.id.attempt());
        }
    }

    /** Attempts that run. */
    Map<Integer, Attempt> running() {
        return running;
    }

    private static <V> Map<Integer, V> with(Map<Integer, V> known, int attempt, V value) {
        if (known.isEmpty()) {
            return Map.of(attempt, value);
        }
        Map<Integer, V> more = known.size() == 1 ? new HashMap<>(known) : known; // of one it may be the fixed kind
        more.put(attempt, value);
        return more;
    }

    /** Keeps what was told; {@code last} if an accepted attempt leaves no room for others. */
    void record(int attempt, ResultFate fate, boolean last) {
        fates = with(fates, attempt, fate);
        if (last && fate.verdict() == Verdict.ACCEPTED) {
            winner = attempt;
        }
        if (fates.size() > MAX_FATES) {
            // Refused from now on, as are all below it, rather than taken for new.
            Integer won = winner;
            ResultFate ofWinner = won == null ? null : fates.remove(won);
            int lowest = Collections.min(fates.keySet());
            fates.remove(lowest);
            if (won != null && ofWinner != null) {
                fates.put(won, ofWinner);
            }
            floor = Math.max(floor, lowest + 1);
        }
    }

    /** Nothing is kept of attempts that have ended, nor of those that run when they end. */
    void forget() {
        fates = Map.of();
        forgotten = true;
    }
}
