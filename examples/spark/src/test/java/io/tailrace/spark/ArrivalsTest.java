// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ArrivalsTest {

    private static final StageAttempt STAGE = new StageAttempt(3, 1);

    private final AtomicInteger swept = new AtomicInteger();
    private final List<String> cancels = new ArrayList<>();
    private final List<String> exceeded = new ArrayList<>();
    private final Arrivals arrivals = new Arrivals(swept::incrementAndGet);
    private final StageTotals totals = new StageTotals(100, (stage, message) -> exceeded.add(message));
    private final Object value = new Object();

    private Arrivals.Arrival begin(long task, int bytes) {
        StageTotals.Account account = totals.open(STAGE);
        account.add(bytes);
        return arrivals.begin(task, STAGE, account, cancels::add);
    }

    @Test
    void valueIsClaimedOnceAndStaysCounted() {
        arrivals.put(begin(7, 10), value);
        assertEquals(1, arrivals.unclaimed());
        assertSame(value, arrivals.claim(7));
        assertThrows(IllegalStateException.class, () -> arrivals.claim(7));
        assertTrue(arrivals.taskEnded(7, true));
        assertEquals(0, arrivals.unclaimed());
        assertEquals(0, swept.get());
        assertEquals(10, totals.bytes(STAGE));
    }

    @Test
    void valueOfARivalThatLostGivesItsBytesBack() {
        arrivals.put(begin(7, 10), value);
        assertSame(value, arrivals.claim(7));
        arrivals.taskEnded(7, false);
        assertEquals(0, totals.bytes(STAGE));
    }

    @Test
    void unclaimedValueIsSweptWhenItsTaskHasEndedAndALateTokenIsHarmless() {
        arrivals.put(begin(7, 10), value);
        arrivals.taskEnded(7, false);
        assertEquals(1, swept.get());
        assertEquals(0, totals.bytes(STAGE));
        assertNull(arrivals.claim(7));
    }

    @Test
    void unclaimedValueIsSweptWhenNoJobNeedsItsStage() {
        arrivals.put(begin(7, 10), value);
        arrivals.stagesEnded(List.of(2));
        assertEquals(1, arrivals.unclaimed());
        arrivals.stagesEnded(List.of(3));
        assertEquals(0, arrivals.unclaimed());
        assertEquals(1, swept.get());
        assertThrows(CancellationException.class, () -> begin(8, 1));
        assertEquals(0, totals.bytes(STAGE));
    }

    @Test
    void resultThatIsArrivingIsCancelledWhenItsTaskHasEnded() {
        Arrivals.Arrival arrival = begin(7, 10);
        arrivals.taskEnded(7, false);
        assertEquals(List.of("its task has ended"), cancels);
        assertThrows(CancellationException.class, () -> arrivals.put(arrival, value));
        assertEquals(0, arrivals.unclaimed());
    }

    @Test
    void abandonedResultGivesItsBytesBackAndIsUnknown() {
        arrivals.abandon(begin(7, 10));
        assertEquals(0, totals.bytes(STAGE));
        assertThrows(IllegalStateException.class, () -> arrivals.claim(7));
        assertFalse(arrivals.taskEnded(7, true));
    }

    @Test
    void limitIsToldInSparksWordsAndInlineResultsCount() {
        totals.addInline(STAGE, 60);
        StageTotals.Account account = totals.open(STAGE);
        account.add(40);
        MaxResultSizeException thrown = assertThrows(MaxResultSizeException.class, () -> account.add(1));
        assertEquals(
                "Total size of serialized results of 2 tasks (101.0 B) is bigger than spark.driver.maxResultSize (100.0 B)",
                thrown.getMessage());
        assertEquals(List.of(thrown.getMessage()), exceeded);
        account.refund();
        assertEquals(60, totals.bytes(STAGE));
        totals.forget(List.of(3));
        assertEquals(0, totals.bytes(STAGE));
    }
}
