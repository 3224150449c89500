// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static io.tailrace.core.handoff.OfferResult.ACCEPTED;
import static io.tailrace.core.handoff.OfferResult.CANCELLED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two and three threads at full speed: every element is accounted for, nobody sleeps for ever. */
final class HandoffStressTest {
    private static final long ROUNDS_NANOS = TimeUnit.SECONDS.toNanos(Proof.FULL ? 120 : 3);
    private static final long FLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(Proof.FULL ? 10_000 : 250);

    private final long seed = Long.getLong("tailrace.seed", System.nanoTime());

    /**
     * With no spins every wait goes the whole way to the park: this is what loses a wake-up if a fence is missing. By time,
     * not by count: on a busy machine an element may cost a change of threads.
     */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 20, 1_000})
    void allElementsArriveInOrder(int spins) throws Exception {
        for (int capacity : new int[] {1, 3, 8}) {
            Handoff<Integer> handoff = new Handoff<>(capacity, e -> {}, spins);
            long end = System.nanoTime() + FLOW_NANOS;
            Aside<Integer> producer = Aside.run("producer", () -> {
                int next = 0;
                while (next % 256 != 0 || System.nanoTime() - end < 0) {
                    if (handoff.offer(next) == ACCEPTED) {
                        next++;
                    } else {
                        assertTrue(handoff.awaitSpace());
                    }
                }
                handoff.finish();
                return next;
            });
            Aside<Integer> consumer = Aside.run("consumer", () -> {
                int next = 0;
                Integer element;
                while ((element = handoff.take()) != null) {
                    assertEquals(next++, element);
                }
                return next;
            });
            int count = producer.get();
            assertEquals(count, consumer.get());
            System.out.println("in order: " + count + " elements, capacity " + capacity + ", spins " + spins);
        }
    }

    @Test
    void everyElementIsTakenOnceOrGivenBackOnce() throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        long end = System.nanoTime() + ROUNDS_NANOS;
        int rounds = 0;
        Crew crew = new Crew();
        try {
            while (System.nanoTime() - end < 0) {
                crew.play(new Round(random.split()));
                rounds++;
            }
            crew.dismiss();
        } catch (Throwable e) {
            throw new AssertionError("-Dtailrace.seed=" + seed + ", round " + rounds + ": " + crew.round, e);
        }
        System.out.println("exactly-once accounting: " + rounds + " rounds, seed " + seed);
        assertTrue(rounds > 0);
    }

    /** Producer, consumer and a third that ends it, kept for all rounds: starting threads would hide the races. */
    private static final class Crew {
        private final CyclicBarrier barrier = new CyclicBarrier(3);
        private final Aside<Void> producer = Aside.run("producer", () -> work(Round::produce));
        private final Aside<Void> consumer = Aside.run("consumer", () -> work(Round::consume));
        private volatile Round round;
        private volatile Throwable failure;

        interface Part {
            void play(Round round) throws Exception;
        }

        private Void work(Part part) throws Exception {
            while (true) {
                barrier.await(30, TimeUnit.SECONDS);
                Round now = round;
                if (now == null) {
                    return null;
                }
                try {
                    part.play(now);
                } catch (Throwable e) {
                    failure = e;
                }
                barrier.await(30, TimeUnit.SECONDS);
            }
        }

        void play(Round next) throws Exception {
            round = next;
            barrier.await(30, TimeUnit.SECONDS);
            next.breakIn();
            barrier.await(30, TimeUnit.SECONDS);
            if (failure != null) {
                throw new AssertionError(failure);
            }
            next.audit();
        }

        void dismiss() throws Exception {
            round = null;
            barrier.await(30, TimeUnit.SECONDS);
            producer.get();
            consumer.get();
        }
    }

    /** One hand-off from its opening to its end. */
    private static final class Round {
        private static final int MOST = 400;

        private final int capacity;
        private final int count;
        private final int breakAfter;
        private final boolean breakByFail;
        private final int consumerDiesAt;
        private final boolean producerNaps;
        private final boolean consumerPolls;
        private final boolean giveBackThrows;
        private final Handoff<Integer> handoff;
        private final AtomicIntegerArray taken;
        private final AtomicIntegerArray givenBack;
        private final IllegalStateException thrown = new IllegalStateException("giveBack");
        private int accepted;

        Round(SplittableRandom random) {
            capacity = 1 + random.nextInt(9);
            count = random.nextInt(MOST);
            breakAfter = random.nextInt(3) == 0 ? -1 : random.nextInt(1 << (1 + random.nextInt(14)));
            breakByFail = random.nextBoolean();
            consumerDiesAt = random.nextInt(4) == 0 ? random.nextInt(count + 1) : -1;
            producerNaps = random.nextInt(4) == 0;
            consumerPolls = random.nextInt(3) == 0;
            giveBackThrows = random.nextInt(4) == 0;
            taken = new AtomicIntegerArray(count);
            givenBack = new AtomicIntegerArray(count);
            handoff = new Handoff<>(capacity, this::giveBack, random.nextBoolean() ? 0 : random.nextInt(200));
        }

        private void giveBack(Integer element) {
            givenBack.incrementAndGet(element);
            if (giveBackThrows && element % 2 == 0) {
                throw thrown;
            }
        }

        void produce() throws InterruptedException {
            int i = 0;
            while (i < count) {
                OfferResult answer = handoff.offer(i);
                if (answer == ACCEPTED) {
                    accepted = ++i;
                } else if (answer == CANCELLED || !handoff.awaitSpace()) {
                    assertTrue(handoff.cancelled());
                    return;
                }
                if (producerNaps && i % 50 == 0) {
                    spin(5_000);
                }
            }
            handoff.finish();
        }

        void consume() throws InterruptedException {
            try {
                for (int n = 0; n != consumerDiesAt; n++) {
                    Integer element = next();
                    if (element == null) {
                        return;
                    }
                    taken.incrementAndGet(element);
                    assertEquals(n, element);
                }
                handoff.fail(new IOException("consumer dies"));
            } finally {
                handoff.cancel();
            }
        }

        private Integer next() throws InterruptedException {
            Integer element = null;
            while (consumerPolls && element == null && !handoff.cancelled() && !handoff.finished()) {
                element = handoff.poll();
            }
            return element == null ? handoff.take() : element;
        }

        void breakIn() {
            if (breakAfter < 0) {
                return;
            }
            spin(breakAfter);
            if (breakByFail) {
                handoff.fail(new IOException("broken in"));
            } else {
                handoff.cancel();
            }
        }

        void audit() {
            assertEquals(0, handoff.held(), this::toString);
            assertNull(handoff.poll());
            for (int i = 0; i < count; i++) {
                assertEquals(i < accepted ? 1 : 0, taken.get(i) + givenBack.get(i), this::toString);
            }
        }

        private static void spin(int turns) {
            for (int i = 0; i < turns; i++) {
                Thread.onSpinWait();
            }
        }

        @Override
        public String toString() {
            return "capacity " + capacity + ", " + accepted + " of " + count + " accepted, break after " + breakAfter
                    + (breakByFail ? " by fail" : " by cancel") + ", consumer dies at " + consumerDiesAt;
        }
    }
}
