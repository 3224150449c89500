// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one task's attempts: those that run, the last fates told, and which numbers are out.
 *
 * <p>There are as many of these as results are remembered, each lives long enough to be copied by the collector, and of most
 * tasks there is one attempt: so it is its own key, lies in the line of its owner by itself, and has maps from the second
 * attempt on.
 *
 * <p><b>Threads.</b> All under the lock of the {@link Incarnations} that made it.
 */
final class TaskRecord extends TaskKey {
    /** More than an engine tries a task. */
    static final int MAX_FATES = 16;

    final String job;

    /** Whether it is in the line of those of which nothing runs, and its neighbours there. */
    boolean inLine;

    @Nullable
    TaskRecord endedBefore;

    @Nullable
    TaskRecord endedAfter;

    /** The attempt that runs, if there is but one. */
    private @Nullable Attempt alone;

    private Map<Integer, Attempt> several = Map.of();

    /** The fate that is known, if there is but one, and whose. */
    private @Nullable ResultFate fate;

    private int fateOf;
    private Map<Integer, ResultFate> fates = Map.of();
    private int newest;
    /** An attempt below it that neither runs nor is recorded is stale. */
    private int floor = Integer.MIN_VALUE;
    /** The attempt after which no other may follow. */
    private @Nullable Integer winner;
    /** Its job was forgotten: nothing is kept once nothing runs. */
    boolean forgotten;

    TaskRecord(String job, long stage, long task, int first) {
        super(stage, task);
        this.job = job;
        newest = first;
    }

    @Nullable
    ResultFate fate(int attempt) {
        return fate != null && fateOf == attempt ? fate : fates.get(attempt);
    }

    /** The attempt that counts in place of this one, which neither runs nor is recorded; null if this may run. */
    @Nullable
    Integer instead(int attempt) {
        if (winner != null) {
            return winner;
        }
        return attempt < floor ? (Integer) newest : null;
    }

    /** It runs from now on; {@code soleOne} if lower ones may not any more. */
    void run(Attempt fresh, boolean soleOne) {
        int attempt = fresh.id.attempt();
        newest = Math.max(newest, attempt);
        if (soleOne) {
            floor = Math.max(floor, attempt);
        }
        forgotten = false;
        if (isIdle()) {
            alone = fresh;
            return;
        }
        Attempt other = alone;
        if (other != null) {
            alone = null;
            several = new HashMap<>();
            several.put(other.id.attempt(), other);
        }
        several.put(attempt, fresh);
    }

    void ended(Attempt known) {
        if (alone == known) {
            alone = null;
        } else {
            several.remove(known.id.attempt());
            if (several.isEmpty()) {
                several = Map.of();
            }
        }
    }

    /** That one, if it runs. */
    @Nullable
    Attempt running(int attempt) {
        Attempt one = alone;
        return one != null && one.id.attempt() == attempt ? one : several.get(attempt);
    }

    /** Attempts that run, as they are now. */
    Collection<Attempt> running() {
        return alone == null ? List.copyOf(several.values()) : List.of(alone);
    }

    /** Whether none runs. */
    boolean isIdle() {
        return alone == null && several.isEmpty();
    }

    /** Keeps what was told; {@code last} if an accepted attempt leaves no room for others. */
    void record(int attempt, ResultFate told, boolean last) {
        if (last && told.verdict() == Verdict.ACCEPTED) {
            winner = attempt;
        }
        ResultFate known = fate;
        if (known == null && fates.isEmpty()) {
            fate = told;
            fateOf = attempt;
            return;
        }
        if (known != null) {
            fate = null;
            fates = new HashMap<>();
            fates.put(fateOf, known);
        }
        fates.put(attempt, told);
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
        fate = null;
        fates = Map.of();
        forgotten = true;
    }
}
