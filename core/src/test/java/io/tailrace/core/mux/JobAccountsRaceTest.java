// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.mux.JobAccounts.Account;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many threads fill one job: not a byte beyond the limit, not a byte lost. */
final class JobAccountsRaceTest {
    private static final int ROUNDS = LeakAudit.FULL ? 100_000 : 10_000;
    private static final int FILLS = LeakAudit.FULL ? 2_000 : 40;
    private static final int THREADS = 4;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void addsFromManyThreadsFillTheLimitToTheByte() throws Exception {
        SplittableRandom seeds = new SplittableRandom(audit.seed());
        for (int i = 0; i < FILLS; i++) {
            long limit = 1L + seeds.nextInt(5_000);
            JobAccounts accounts = new JobAccounts(limit);
            AtomicLong let = new AtomicLong();
            together(seeds, random -> {
                Account account = accounts.open(id(0), -1);
                for (boolean fits = true; fits; ) {
                    fits = add(account, 1 + random.nextInt(7), let);
                }
                for (boolean fits = true; fits; ) {
                    fits = add(account, 1, let); // refused only where the sum is the limit
                }
                account.keep();
            });
            assertEquals(limit, let.get());
            assertEquals(limit, accounts.counted("job0"));
        }
        audit.cases(FILLS);
    }

    private static boolean add(Account account, long bytes, AtomicLong let) {
        try {
            assertTrue(account.add(bytes));
            let.addAndGet(bytes);
            return true;
        } catch (ResultTooLargeException e) {
            assertTrue(e.actual() > e.limit(), e::getMessage);
            return false;
        }
    }

    @Test
    void sumNeverExceedsTheLimitWhileResultsComeAndGo() throws Exception {
        SplittableRandom seeds = new SplittableRandom(audit.seed());
        for (int i = 0; i < FILLS; i++) {
            long limit = 1L + seeds.nextInt(50);
            JobAccounts accounts = new JobAccounts(limit);
            AtomicBoolean done = new AtomicBoolean();
            Future<Long> watcher = audit.executor().submit(() -> {
                long most = 0;
                while (!done.get()) {
                    most = Math.max(most, accounts.counted("job0"));
                }
                return most;
            });
            AtomicLong kept = new AtomicLong();
            together(seeds, random -> {
                for (int r = 0; r < 200; r++) {
                    comeAndGo(accounts, random, kept);
                }
            });
            done.set(true);
            assertTrue(watcher.get() <= limit);
            assertEquals(kept.get(), accounts.counted("job0"));
            assertEquals(kept.get() == 0 ? 0 : 1, accounts.jobs());
        }
        audit.cases(FILLS);
    }

    private static void comeAndGo(JobAccounts accounts, SplittableRandom random, AtomicLong kept) {
        long own = 0;
        try {
            if (random.nextBoolean()) {
                accounts.addInline("job0", 3);
                accounts.refundInline("job0", 3);
            }
            Account account = accounts.open(id(0), random.nextInt(10));
            for (int n = random.nextInt(4); n > 0; n--) {
                own += add(account, 4, new AtomicLong()) ? 4 : 0;
            }
            if (random.nextInt(100) == 0) {
                account.keep();
                kept.addAndGet(own);
            } else {
                account.refund();
            }
        } catch (ResultTooLargeException e) {
            assertTrue(e.actual() > e.limit(), e::getMessage);
        }
    }

    @Test
    void addRacesWithRefund() throws Exception {
        JobAccounts accounts = new JobAccounts(10);
        AtomicInteger counted = new AtomicInteger();
        Account[] open = new Account[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            open[round] = accounts.open(id(round), -1);
        }
        Meetings.hold(
                audit, ROUNDS, round -> counted.addAndGet(open[round].add(7) ? 1 : 0), round -> open[round].refund());
        for (int round = 0; round < ROUNDS; round++) {
            assertEquals(0, accounts.counted("job" + round), "round " + round);
        }
        assertEquals(0, accounts.jobs());
        audit.figure(ROUNDS + " rounds, nothing left; " + counted + " adds came first");
    }

    @Test
    void keepRacesWithRefund() throws Exception {
        JobAccounts accounts = new JobAccounts(10);
        Account[] open = new Account[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            open[round] = accounts.open(id(round), -1);
            open[round].add(7);
        }
        Meetings.hold(audit, ROUNDS, round -> open[round].keep(), round -> open[round].refund());
        int kept = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long counted = accounts.counted("job" + round);
            assertTrue(counted == 0 || counted == 7, "round " + round);
            kept += counted == 7 ? 1 : 0;
        }
        assertEquals(kept, accounts.jobs());
        audit.figure(ROUNDS + " rounds, " + kept + " kept");
    }

    @Test
    void opensRaceForTheFirstPlaceOfAJob() throws Exception {
        JobAccounts accounts = new JobAccounts(10);
        AtomicInteger let = new AtomicInteger();
        Meetings.Side side = round -> {
            Account account = accounts.open(id(round), -1);
            account.add(4);
            account.keep();
            let.incrementAndGet();
        };
        Meetings.hold(audit, ROUNDS, side, side);
        for (int round = 0; round < ROUNDS; round++) {
            assertEquals(8, accounts.counted("job" + round), "round " + round);
        }
        assertEquals(2 * ROUNDS, let.get());
        audit.cases(ROUNDS);
    }

    private interface Work {
        void run(SplittableRandom random) throws Exception;
    }

    private void together(SplittableRandom seeds, Work work) throws Exception {
        List<Future<?>> threads = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            SplittableRandom random = seeds.split();
            threads.add(audit.executor().submit(() -> {
                work.run(random);
                return null;
            }));
        }
        for (Future<?> thread : threads) {
            thread.get();
        }
    }

    private static ResultId id(int round) {
        return new ResultId("job" + round, 0, 0, 0);
    }
}
