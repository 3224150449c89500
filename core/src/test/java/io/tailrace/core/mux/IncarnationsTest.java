// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.mux.Incarnations.Policy;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which attempt counts, what a replay is told, and what is forgotten. */
final class IncarnationsTest {
    private static final ResultFate ACCEPTED = new ResultFate(Verdict.ACCEPTED, "", false);
    private static final ResultFate LOST = new ResultFate(Verdict.LOST, "connection reset", true);
    private static final int RECORDS = 100;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Incarnations newest = new Incarnations(RECORDS);
    private final Incarnations first = new Incarnations(RECORDS, Policy.FIRST_ACCEPTED_WINS);
    private final List<ResultId> superseded = new ArrayList<>();
    private final List<ResultFate> told = new ArrayList<>();

    @ParameterizedTest
    @EnumSource(Verdict.class)
    void replayOfAnEndedAttemptIsToldItsFateWhateverItWas(Verdict verdict) {
        ResultFate fate = new ResultFate(verdict, "because", true);
        for (Incarnations each : List.of(newest, first)) {
            fresh(each, id(3));
            assertTrue(each.settle(id(3), fate));
            assertEquals(new Opening.Recorded(fate), each.open(id(3), superseded::add));
            assertEquals(new Opening.Recorded(fate), each.open(id(3), superseded::add));
            assertFalse(each.settle(id(3), ACCEPTED), "settled twice");
            assertEquals(List.of(), superseded);
        }
    }

    @Test
    void tasksOfOtherJobsStagesAndNumbersAreOthers() {
        for (ResultId id : List.of(
                new ResultId("job", 1, 2, 0),
                new ResultId("jo", 1, 2, 0),
                new ResultId("job", 2, 2, 0),
                new ResultId("job", 1, 1, 0),
                new ResultId("job", 2, 1, 0))) {
            fresh(newest, id);
        }
        assertEquals(5, newest.running());
    }

    @Test
    void lowerAttemptThanTheNewestIsStale() {
        fresh(newest, id(5));
        assertEquals(new Opening.Stale(5), newest.open(id(4), superseded::add));
        assertEquals(new Opening.Stale(5), newest.open(id(Integer.MIN_VALUE), superseded::add));
        newest.settle(id(5), LOST);
        assertEquals(new Opening.Stale(5), newest.open(id(4), superseded::add));
    }

    @Test
    void newerAttemptSupersedesTheRunningOne() {
        fresh(newest, id(0));
        fresh(newest, id(1));
        assertEquals(List.of(id(1)), superseded);
        assertFalse(newest.settle(id(0), ACCEPTED));
        assertEquals(new Opening.Stale(1), newest.open(id(0), superseded::add));
        assertTrue(newest.settle(id(1), ACCEPTED));
        assertEquals(new Opening.Stale(1), newest.open(id(0), superseded::add));
        assertEquals(List.of(id(1)), superseded);
    }

    @Test
    void newerAttemptComesInAfterOneThatWasAccepted() {
        fresh(newest, id(0));
        newest.settle(id(0), ACCEPTED);
        fresh(newest, id(1));
        assertEquals(new Opening.Recorded(ACCEPTED), newest.open(id(0), superseded::add));
        assertEquals(List.of(), superseded);
    }

    @Test
    void replayOfARunningAttemptIsToldItsFateWhenItIsKnown() {
        fresh(newest, id(0));
        Opening.Running replay = running(newest, id(0));
        assertTrue(replay.whenEnded(told::add));
        assertEquals(List.of(), told);
        assertTrue(newest.settle(id(0), LOST));
        assertEquals(List.of(LOST), told);
        assertTrue(replay.whenEnded(told::add), "ended by now");
        assertEquals(List.of(LOST, LOST), told);
    }

    @Test
    void replayIsToldThatTheRunningAttemptWasSuperseded() {
        fresh(newest, id(0));
        assertTrue(running(newest, id(0)).whenEnded(told::add));
        fresh(newest, id(7));
        assertEquals(List.of(new ResultFate(Verdict.SUPERSEDED, "attempt 7 counts instead", false)), told);
        assertFalse(newest.settle(id(0), LOST));
        assertEquals(1, told.size());
    }

    @Test
    void replayIsToldEvenWhenTheRecordIsDroppedMeanwhile() {
        fresh(newest, id(0));
        Opening.Running replay = running(newest, id(0));
        newest.settle(id(0), LOST);
        newest.forget("job");
        assertTrue(replay.whenEnded(told::add));
        assertEquals(List.of(LOST), told);
    }

    @Test
    void waitersOfOneAttemptAreBounded() {
        fresh(newest, id(0));
        List<Consumer<ResultFate>> waiters = new ArrayList<>();
        for (int i = 0; i < Incarnations.MAX_WAITERS; i++) {
            Consumer<ResultFate> waiter = told::add;
            waiters.add(waiter);
            assertTrue(running(newest, id(0)).whenEnded(waiter));
        }
        assertFalse(running(newest, id(0)).whenEnded(told::add));
        running(newest, id(0)).withdraw(waiters.get(0));
        running(newest, id(0)).withdraw(waiters.get(1));
        assertTrue(running(newest, id(0)).whenEnded(told::add));
        newest.settle(id(0), LOST);
        assertEquals(Incarnations.MAX_WAITERS - 1, told.size());
    }

    @Test
    void attemptsRunSideBySideUntilOneIsAccepted() {
        fresh(first, id(0));
        fresh(first, id(2));
        fresh(first, id(1));
        assertTrue(running(first, id(2)).whenEnded(told::add));
        assertTrue(first.settle(id(0), LOST));
        assertEquals(List.of(), superseded);
        assertTrue(first.settle(id(1), ACCEPTED));
        assertEquals(List.of(id(1)), superseded);
        assertEquals(Verdict.SUPERSEDED, told.get(0).verdict());
        assertFalse(first.settle(id(2), ACCEPTED));
        assertEquals(new Opening.Stale(1), first.open(id(2), superseded::add));
        assertEquals(new Opening.Stale(1), first.open(id(9), superseded::add));
        assertEquals(new Opening.Recorded(LOST), first.open(id(0), superseded::add));
        assertEquals(new Opening.Recorded(ACCEPTED), first.open(id(1), superseded::add));
        assertEquals(0, first.running());
    }

    @Test
    void fateOfAnAttemptLongAgoIsRefusedRatherThanTakenForNew() {
        int attempts = TaskRecord.MAX_FATES + 1;
        for (int i = 0; i < attempts; i++) {
            fresh(first, id(i));
            first.settle(id(i), LOST);
        }
        assertEquals(new Opening.Stale(attempts - 1), first.open(id(0), superseded::add));
        assertEquals(new Opening.Recorded(LOST), first.open(id(1), superseded::add));
        fresh(first, id(attempts));
    }

    @Test
    void acceptedAttemptIsRememberedAboveManyThatFailed() {
        int attempts = TaskRecord.MAX_FATES;
        for (int i = 0; i <= attempts; i++) {
            fresh(first, id(i));
        }
        for (int i = 1; i <= attempts; i++) {
            first.settle(id(i), LOST);
        }
        assertTrue(first.settle(id(0), ACCEPTED));
        assertEquals(new Opening.Recorded(ACCEPTED), first.open(id(0), superseded::add));
        assertEquals(new Opening.Stale(0), first.open(id(1), superseded::add));
        assertEquals(new Opening.Recorded(LOST), first.open(id(2), superseded::add));
    }

    @Test
    void largestAttemptIsOneLikeOthers() {
        fresh(newest, id(Integer.MAX_VALUE));
        newest.settle(id(Integer.MAX_VALUE), LOST);
        assertEquals(new Opening.Recorded(LOST), newest.open(id(Integer.MAX_VALUE), superseded::add));
        assertEquals(new Opening.Stale(Integer.MAX_VALUE), newest.open(id(0), superseded::add));
    }

    @Test
    void endedTasksAreDroppedOldestFirstAndRunningOnesNever() {
        int running = 3 * RECORDS;
        for (int i = 0; i < running; i++) {
            fresh(newest, task("runs", i));
        }
        for (int i = 0; i < 2 * RECORDS; i++) {
            fresh(newest, task("ends", i));
            newest.settle(task("ends", i), LOST);
            assertEquals(Math.min(i + 1, RECORDS), newest.records());
        }
        for (int i = 0; i < running; i++) {
            running(newest, task("runs", i));
        }
        for (int i = 2 * RECORDS - 1; i >= RECORDS; i--) {
            assertEquals(new Opening.Recorded(LOST), newest.open(task("ends", i), superseded::add));
        }
        assertEquals(running, newest.running());
        fresh(newest, task("ends", RECORDS - 1));
        assertEquals(RECORDS, newest.records(), "one that runs takes no room from those that ended");
    }

    @Test
    void taskThatRunsAgainEndsAnewInTheOrderOfDropping() {
        Incarnations two = new Incarnations(2);
        for (ResultId id : List.of(task("a", 0), task("b", 0), new ResultId("a", 0, 0, 1), task("c", 0))) {
            fresh(two, id);
            two.settle(id, LOST);
        }
        assertEquals(new Opening.Recorded(LOST), two.open(new ResultId("a", 0, 0, 1), superseded::add));
        fresh(two, task("b", 0));
    }

    @Test
    void forgottenJobIsNewAgainAndOthersAreNot() {
        for (String job : List.of("a", "b")) {
            fresh(newest, task(job, 0));
            newest.settle(task(job, 0), LOST);
        }
        newest.forget("a");
        newest.forget("unknown");
        assertEquals(1, newest.records());
        fresh(newest, task("a", 0));
        assertEquals(new Opening.Recorded(LOST), newest.open(task("b", 0), superseded::add));
    }

    @Test
    void runningAttemptsOfAForgottenJobEndAsUsualAndAreNotKept() {
        fresh(newest, id(0));
        assertTrue(running(newest, id(0)).whenEnded(told::add));
        newest.forget("job");
        running(newest, id(0));
        assertTrue(newest.settle(id(0), ACCEPTED));
        assertEquals(List.of(ACCEPTED), told);
        assertEquals(0, newest.records());
        fresh(newest, id(0));
    }

    @Test
    void handleOfAnOpeningSettlesNoLaterOneOfTheSameName() {
        Opening.Fresh old = fresh(newest, id(0));
        fresh(newest, id(1));
        newest.settle(id(1), LOST);
        newest.forget("job");
        Opening.Fresh again = fresh(newest, id(0));
        assertFalse(old.settle(ACCEPTED));
        assertTrue(again.settle(ACCEPTED));
        assertFalse(again.settle(ACCEPTED));
    }

    @Test
    void attemptNeverLetInSettlesNothing() {
        assertFalse(newest.settle(id(0), ACCEPTED));
        fresh(newest, id(1));
        assertFalse(newest.settle(id(0), ACCEPTED));
        assertTrue(newest.settle(id(1), ACCEPTED));
    }

    @Test
    void callbacksMayCallBackIn() {
        List<Boolean> answers = new ArrayList<>();
        newest.open(id(0), by -> {
            answers.add(newest.settle(id(0), LOST));
            answers.add(newest.settle(by, LOST));
        });
        fresh(newest, id(1));
        assertEquals(List.of(false, true), answers);
    }

    @Test
    void callbackThatThrowsIsLoggedAndTheOthersAreCalled() {
        audit.expectWarnings();
        fresh(newest, id(0));
        assertTrue(running(newest, id(0)).whenEnded(fate -> {
            throw new IllegalStateException("mine");
        }));
        assertTrue(running(newest, id(0)).whenEnded(told::add));
        assertTrue(newest.settle(id(0), LOST));
        assertEquals(List.of(LOST), told);
        assertEquals(1, audit.warnings().size());
        assertTrue(audit.warnings().get(0).contains("mine"), audit.warnings()::toString);
    }

    @Test
    void boundOfNoRecordsIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Incarnations(0));
    }

    private Opening.Fresh fresh(Incarnations in, ResultId id) {
        return assertInstanceOf(Opening.Fresh.class, in.open(id, superseded::add));
    }

    private Opening.Running running(Incarnations in, ResultId id) {
        return assertInstanceOf(Opening.Running.class, in.open(id, superseded::add));
    }

    private static ResultId id(int attempt) {
        return new ResultId("job", 1, 2, attempt);
    }

    private static ResultId task(String job, long task) {
        return new ResultId(job, 0, task, 0);
    }
}
