// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.mux.JobAccounts.Account;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a job's results may weigh, and who gives what back. */
final class JobAccountsTest {
    private static final long LIMIT = 1_000;
    private static final ResultId ID = new ResultId("job", 1, 2, 3);

    private final JobAccounts accounts = new JobAccounts(LIMIT);

    @Test
    void bytesCountUpToTheLimitAndNotOneBeyond() throws Exception {
        Account account = accounts.open(ID, -1);
        assertTrue(account.add(LIMIT - 1));
        assertTrue(account.add(0));
        assertTrue(account.add(1));
        ResultTooLargeException e = refused(() -> account.add(1));
        assertEquals(LIMIT, e.limit());
        assertEquals(LIMIT + 1, e.actual());
        assertEquals(ID, e.resultId());
        assertEquals("results of job 'job' exceed its limit", e.reason());
        assertFalse(e.retriable());
        assertEquals(LIMIT, accounts.counted("job"));
    }

    @Test
    void whatWasRefusedIsNotCounted() throws Exception {
        Account account = accounts.open(ID, -1);
        account.add(600);
        refused(() -> account.add(401));
        assertEquals(600, accounts.counted("job"));
        assertTrue(account.add(400));
        account.refund();
        assertEquals(0, accounts.counted("job"));
    }

    @Test
    void declarationThatDoesNotFitOpensNothing() throws Exception {
        accounts.open(ID, -1).add(400);
        ResultTooLargeException e = refused(() -> accounts.open(ID, 601));
        assertEquals(LIMIT, e.limit());
        assertEquals(LIMIT + 1, e.actual());
        assertEquals(ID, e.resultId());
        assertTrue(accounts.open(ID, 600).add(600), "what fits is let in, and reserves nothing");
        refused(() -> accounts.open(ID, 1));
        accounts.open(ID, 0);
    }

    @Test
    void refusedDeclarationLeavesNoJobBehind() {
        refused(() -> accounts.open(ID, LIMIT + 1));
        assertEquals(0, accounts.jobs());
    }

    @Test
    void sumsDoNotWrap() throws Exception {
        JobAccounts unlimited = new JobAccounts(Long.MAX_VALUE);
        Account account = unlimited.open(ID, Long.MAX_VALUE);
        account.add(Long.MAX_VALUE - 1);
        assertEquals(Long.MAX_VALUE, refused(() -> account.add(2)).actual());
        assertEquals(
                Long.MAX_VALUE,
                refused(() -> unlimited.open(ID, Long.MAX_VALUE)).actual());
        account.add(1);
        assertEquals(Long.MAX_VALUE, unlimited.counted("job"));
        assertEquals(Long.MAX_VALUE, refused(() -> account.add(Long.MAX_VALUE)).actual());
        account.refund();
        assertEquals(0, unlimited.counted("job"));
    }

    @Test
    void attemptsOfOneJobShareItsLimitAndJobsDoNot() throws Exception {
        Account one = accounts.open(ID, -1);
        Account two = accounts.open(new ResultId("job", 9, 9, 9), -1);
        one.add(700);
        refused(() -> two.add(301));
        assertTrue(two.add(300));
        assertTrue(accounts.open(new ResultId("other", 1, 2, 3), -1).add(LIMIT));
    }

    @Test
    void refundGivesBackThisAttemptsBytesOnce() throws Exception {
        Account one = accounts.open(ID, -1);
        Account two = accounts.open(ID, -1);
        one.add(100);
        one.add(200);
        two.add(50);
        one.refund();
        one.refund();
        one.keep();
        assertEquals(50, accounts.counted("job"));
    }

    @Test
    void keptBytesStayCountedThoughRefundedLater() throws Exception {
        Account account = accounts.open(ID, -1);
        account.add(100);
        account.keep();
        account.keep();
        account.refund();
        assertEquals(100, accounts.counted("job"));
        assertEquals(1, accounts.jobs());
    }

    @Test
    void endedAccountCountsNothing() throws Exception {
        Account refunded = accounts.open(ID, -1);
        refunded.refund();
        assertFalse(refunded.add(1));
        Account kept = accounts.open(ID, -1);
        kept.keep();
        assertFalse(kept.add(LIMIT + 1));
        assertEquals(0, accounts.counted("job"));
        assertEquals(0, accounts.jobs());
    }

    @Test
    void jobsOwnLimitGoesBeforeTheCommonOne() throws Exception {
        accounts.limit("job", 2 * LIMIT);
        Account account = accounts.open(ID, 2 * LIMIT);
        account.add(2 * LIMIT);
        accounts.limit("job", 10);
        ResultTooLargeException e = refused(() -> account.add(1));
        assertEquals(10, e.limit());
        assertEquals(2 * LIMIT + 1, e.actual());
        account.refund();
        account.refund();
        assertEquals(11, refused(() -> accounts.addInline("job", 11)).actual());
        accounts.addInline("job", 10);
    }

    @Test
    void limitOfAJobThatIsOpenHoldsFromNowOn() throws Exception {
        Account account = accounts.open(ID, -1);
        account.add(LIMIT);
        accounts.limit("job", LIMIT + 1);
        assertTrue(account.add(1));
        refused(() -> account.add(1));
    }

    @Test
    void inlineResultsCountBesideStreams() throws Exception {
        Account account = accounts.open(ID, -1);
        account.add(400);
        accounts.addInline("job", 600);
        refused(() -> account.add(1));
        ResultTooLargeException e = refused(() -> accounts.addInline("job", 1));
        assertNull(e.resultId());
        assertTrue(e.reason().contains("'job'"), e::reason);
        accounts.refundInline("job", 600);
        assertEquals(400, accounts.counted("job"));
        account.refund();
        assertEquals(0, accounts.jobs());
    }

    @Test
    void inlineRefundNeverGoesBelowZero() throws Exception {
        accounts.addInline("job", 5);
        accounts.refundInline("job", 6);
        accounts.refundInline("unknown", 6);
        assertEquals(0, accounts.counted("job"));
        accounts.addInline("job", LIMIT);
        refused(() -> accounts.addInline("job", 1));
    }

    @Test
    void forgottenJobBeginsAtZeroUnderTheCommonLimit() throws Exception {
        accounts.limit("job", 10);
        Account old = accounts.open(ID, -1);
        old.add(10);
        accounts.forget("job");
        assertEquals(0, accounts.jobs());
        Account anew = accounts.open(ID, LIMIT);
        anew.add(LIMIT);
        refused(() -> old.add(1));
        old.refund();
        assertEquals(LIMIT, accounts.counted("job"), "nothing of the new sum was given back");
        anew.refund();
        assertEquals(0, accounts.jobs());
    }

    @Test
    void jobOfWhichNothingIsCountedTakesNoMemory() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            Account account = accounts.open(new ResultId("job" + i, 0, 0, 0), -1);
            account.add(i);
            account.refund();
            accounts.addInline("job" + i, i);
            accounts.refundInline("job" + i, i);
        }
        assertEquals(0, accounts.jobs());
    }

    @Test
    void negativeAmountsAreRefused() throws Exception {
        Account account = accounts.open(ID, -1);
        assertThrows(IllegalArgumentException.class, () -> new JobAccounts(-1));
        assertThrows(IllegalArgumentException.class, () -> accounts.limit("job", -1));
        assertThrows(IllegalArgumentException.class, () -> account.add(-1));
        assertThrows(IllegalArgumentException.class, () -> accounts.addInline("job", -1));
        assertThrows(IllegalArgumentException.class, () -> accounts.refundInline("job", -1));
        assertEquals(0, accounts.counted("job"));
    }

    private static ResultTooLargeException refused(Executable call) {
        return assertThrows(ResultTooLargeException.class, call);
    }
}
