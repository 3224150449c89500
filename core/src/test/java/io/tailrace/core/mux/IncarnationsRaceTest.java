// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.mux.Incarnations.Policy;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Of two threads that end an attempt one does, and everybody who waits hears of it once. */
final class IncarnationsRaceTest {
    private static final int ROUNDS = LeakAudit.FULL ? 100_000 : 10_000;
    private static final int CROWDS = LeakAudit.FULL ? 2_000 : 20;
    private static final ResultFate ACCEPTED = new ResultFate(Verdict.ACCEPTED, "", false);
    private static final ResultFate LOST = new ResultFate(Verdict.LOST, "", true);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void settleRacesWithANewerAttempt() throws Exception {
        Incarnations incarnations = new Incarnations(16);
        AtomicIntegerArray winners = new AtomicIntegerArray(ROUNDS);
        AtomicInteger settled = new AtomicInteger();
        open(incarnations, winners);
        Meetings.hold(
                audit,
                ROUNDS,
                round -> {
                    if (incarnations.settle(id(round, 0), ACCEPTED)) {
                        winners.incrementAndGet(round);
                        settled.incrementAndGet();
                    }
                },
                round -> incarnations.open(id(round, 1), by -> {}));
        requireOneWinnerEach(winners);
        audit.figure(ROUNDS + " rounds, one winner each, " + settled + " of them settled");
    }

    @Test
    void acceptedAttemptsOfOneTaskRace() throws Exception {
        Incarnations incarnations = new Incarnations(16, Policy.FIRST_ACCEPTED_WINS);
        AtomicIntegerArray accepted = new AtomicIntegerArray(ROUNDS);
        AtomicIntegerArray superseded = new AtomicIntegerArray(ROUNDS);
        for (int round = 0; round < ROUNDS; round++) {
            int r = round;
            incarnations.open(id(r, 0), by -> superseded.incrementAndGet(r));
            incarnations.open(id(r, 1), by -> superseded.incrementAndGet(r));
        }
        Meetings.hold(
                audit,
                ROUNDS,
                round -> accepted.addAndGet(round, incarnations.settle(id(round, 0), ACCEPTED) ? 1 : 0),
                round -> accepted.addAndGet(round, incarnations.settle(id(round, 1), ACCEPTED) ? 1 : 0));
        requireOneWinnerEach(accepted);
        requireOneWinnerEach(superseded);
        assertEquals(0, incarnations.running());
        audit.cases(ROUNDS);
    }

    @Test
    void settleRacesWithAReplayThatBeginsToWait() throws Exception {
        Incarnations incarnations = new Incarnations(ROUNDS);
        AtomicIntegerArray told = new AtomicIntegerArray(ROUNDS);
        open(incarnations, new AtomicIntegerArray(ROUNDS));
        Meetings.hold(audit, ROUNDS, round -> incarnations.settle(id(round, 0), LOST), round -> {
            Opening replay = incarnations.open(id(round, 0), by -> {});
            if (replay instanceof Opening.Running running) {
                assertTrue(running.whenEnded(fate -> told.incrementAndGet(round)));
            } else {
                assertEquals(new Opening.Recorded(LOST), replay);
                told.incrementAndGet(round);
            }
        });
        requireOneWinnerEach(told);
        audit.cases(ROUNDS);
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void everyAttemptOfACrowdEndsOnce(Policy policy) throws Exception {
        SplittableRandom seeds = new SplittableRandom(audit.seed());
        int attempts = 0;
        for (int i = 0; i < CROWDS; i++) {
            Incarnations incarnations = new Incarnations(1 + seeds.nextInt(4), policy);
            Queue<Life> lives = new ConcurrentLinkedQueue<>();
            List<Future<?>> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                SplittableRandom random = seeds.split();
                threads.add(audit.executor().submit(() -> live(incarnations, lives, random)));
            }
            for (Future<?> thread : threads) {
                thread.get();
            }
            for (Life life : lives) {
                assertEquals(1, life.settled.get() + life.superseded.get(), life.id::toString);
            }
            attempts += lives.size();
            assertEquals(0, incarnations.running());
            assertTrue(incarnations.records() <= 4);
        }
        audit.cases(attempts);
    }

    private static void live(Incarnations incarnations, Queue<Life> lives, SplittableRandom random) {
        List<Life> open = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Life life = new Life(new ResultId("job" + random.nextInt(2), 0, random.nextInt(4), random.nextInt(8)));
            if (incarnations.open(life.id, by -> life.superseded.incrementAndGet()) instanceof Opening.Fresh fresh) {
                life.opening = fresh;
                lives.add(life);
                open.add(life);
            }
            if (!open.isEmpty() && random.nextInt(3) > 0) {
                open.remove(random.nextInt(open.size())).end(random.nextBoolean() ? ACCEPTED : LOST);
            }
            if (random.nextInt(50) == 0) {
                incarnations.forget("job" + random.nextInt(2));
            }
        }
        open.forEach(life -> life.end(LOST));
    }

    private static final class Life {
        final ResultId id;
        final AtomicInteger settled = new AtomicInteger();
        final AtomicInteger superseded = new AtomicInteger();
        Opening.Fresh opening;

        Life(ResultId id) {
            this.id = id;
        }

        void end(ResultFate fate) {
            settled.addAndGet(opening.settle(fate) ? 1 : 0);
        }
    }

    /** Attempt 0 of each round, told to the books when it is superseded. */
    private static void open(Incarnations incarnations, AtomicIntegerArray superseded) {
        for (int round = 0; round < ROUNDS; round++) {
            int r = round;
            incarnations.open(id(r, 0), by -> superseded.incrementAndGet(r));
        }
    }

    private static void requireOneWinnerEach(AtomicIntegerArray winners) {
        for (int round = 0; round < ROUNDS; round++) {
            assertEquals(1, winners.get(round), "round " + round);
        }
    }

    private static ResultId id(int round, int attempt) {
        return new ResultId("job", 0, round, attempt);
    }
}
