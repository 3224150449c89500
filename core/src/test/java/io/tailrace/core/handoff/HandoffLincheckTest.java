// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.Lincheck;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Every interleaving of a few calls explains itself by some order of them; afterwards everything is accounted for. */
@Param(name = "element", gen = IntGen.class, conf = "1:9")
@Tag("lincheck") // a JVM of its own
@Timeout(value = 30, unit = TimeUnit.MINUTES) // its runs are bounded by count, and slow on a busy machine
public final class HandoffLincheckTest {
    private static final int CAPACITY = 2;
    private static final int RUNS = Proof.FULL ? 10_000 : 10;
    private static final int ITERATIONS = Proof.FULL ? 100 : 2;
    private static final int CHECKED = Proof.FULL ? 3_000 : 100;
    private static final int STRESSED = Proof.FULL ? 10_000 : 100;

    private final AtomicInteger givenBack = new AtomicInteger();
    private final Handoff<Integer> handoff = new Handoff<>(CAPACITY, e -> givenBack.incrementAndGet());
    private int accepted;
    private int taken;

    @Operation(nonParallelGroup = "producer")
    public OfferResult offer(@Param(name = "element") int element) {
        OfferResult answer = handoff.offer(element);
        if (answer == OfferResult.ACCEPTED) {
            accepted++;
        }
        return answer;
    }

    @Operation(nonParallelGroup = "producer", runOnce = true)
    public void finish() {
        handoff.finish();
    }

    @Operation(nonParallelGroup = "consumer")
    public Integer poll() {
        Integer element = handoff.poll();
        if (element != null) {
            taken++;
        }
        return element;
    }

    @Operation
    public void cancel() {
        handoff.cancel();
    }

    @Operation
    public boolean cancelled() {
        return handoff.cancelled();
    }

    @Validate
    public void accountIsEven() {
        assertEquals(accepted, taken + givenBack.get() + handoff.held());
        if (handoff.cancelled()) {
            assertEquals(0, handoff.held(), "left inside after the end");
        } else {
            assertEquals(0, givenBack.get());
        }
    }

    /** What the calls mean, without threads. */
    public static final class Sequential {
        private final ArrayDeque<Integer> inside = new ArrayDeque<>();
        private boolean finished;
        private boolean cancelled;

        public OfferResult offer(int element) {
            if (cancelled) {
                return OfferResult.CANCELLED;
            }
            if (finished) {
                throw new IllegalStateException();
            }
            if (inside.size() == CAPACITY) {
                return OfferResult.FULL;
            }
            inside.add(element);
            return OfferResult.ACCEPTED;
        }

        public void finish() {
            finished = true;
        }

        public Integer poll() {
            return inside.poll();
        }

        public void cancel() {
            cancelled = true;
            inside.clear();
        }

        public boolean cancelled() {
            return cancelled;
        }
    }

    @Test
    void modelCheckerFindsNoRunWithoutAnOrder() {
        cases("model checker", (long) ITERATIONS * CHECKED);
        new ModelCheckingOptions()
                .iterations(ITERATIONS)
                .invocationsPerIteration(CHECKED)
                .threads(3)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(Sequential.class)
                .check(HandoffLincheckTest.class);
    }

    /** In the full proof alone: stress transforms each loaded class at once, half a minute even in a fresh JVM. */
    @EnabledIfSystemProperty(named = "tailrace.proof", matches = "full")
    @Test
    void stressFindsNoRunWithoutAnOrder() {
        cases("stress", (long) ITERATIONS * STRESSED);
        new StressOptions()
                .iterations(ITERATIONS)
                .invocationsPerIteration(STRESSED)
                .threads(3)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(Sequential.class)
                .check(HandoffLincheckTest.class);
    }

    @Test
    void noInterleavingLosesAWakeUpOfTheConsumer() {
        cases("wake-up of the consumer", RUNS);
        Lincheck.runConcurrentTest(RUNS, () -> {
            Handoff<Integer> handoff = new Handoff<>(1, e -> {}, 0);
            int[] taken = new int[1];
            inParallel(() -> taken[0] = takeAll(handoff), () -> {
                handoff.offer(1);
                handoff.finish();
            });
            assertEquals(1, taken[0]);
        });
    }

    @Test
    void noInterleavingLosesAWakeUpOfTheProducer() {
        cases("wake-up of the producer", RUNS);
        Lincheck.runConcurrentTest(RUNS, () -> {
            Handoff<Integer> handoff = new Handoff<>(1, e -> {}, 0);
            handoff.offer(1);
            boolean[] space = new boolean[1];
            inParallel(() -> space[0] = awaitSpace(handoff), handoff::poll);
            assertTrue(space[0]);
            assertEquals(OfferResult.ACCEPTED, handoff.offer(2));
        });
    }

    @Test
    void noInterleavingLosesTheEnd() {
        cases("the end", RUNS);
        Lincheck.runConcurrentTest(RUNS, () -> {
            AtomicInteger givenBack = new AtomicInteger();
            Handoff<Integer> handoff = new Handoff<>(1, e -> givenBack.incrementAndGet(), 0);
            int[] taken = new int[1];
            OfferResult[] answer = new OfferResult[1];
            inParallel(() -> taken[0] = takeAll(handoff), handoff::cancel, () -> answer[0] = handoff.offer(1));
            assertEquals(answer[0] == OfferResult.ACCEPTED ? 1 : 0, taken[0] + givenBack.get());
        });
    }

    @Test
    void noInterleavingLeavesAnElementInside() {
        cases("an element inside", 5L * RUNS);
        Lincheck.runConcurrentTest(5 * RUNS, () -> {
            AtomicInteger givenBack = new AtomicInteger();
            Handoff<Integer> handoff = new Handoff<>(2, e -> givenBack.incrementAndGet(), 0);
            handoff.offer(1);
            OfferResult[] answer = new OfferResult[1];
            inParallel(() -> answer[0] = handoff.offer(2), handoff::cancel);
            assertEquals(0, handoff.held());
            assertEquals(answer[0] == OfferResult.ACCEPTED ? 2 : 1, givenBack.get());
        });
    }

    private static void cases(String what, long invocations) {
        System.out.println("HandoffLincheckTest, " + what + ": " + invocations + " cases");
    }

    private static int takeAll(Handoff<Integer> handoff) {
        try {
            int taken = 0;
            while (handoff.take() != null) {
                taken++;
            }
            return taken;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean awaitSpace(Handoff<Integer> handoff) {
        try {
            return handoff.awaitSpace();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The model checker takes control of threads that our own code starts: in loops, as it does not see into streams. */
    private static void inParallel(Runnable... parts) {
        Thread[] threads = new Thread[parts.length];
        for (int i = 0; i < parts.length; i++) {
            threads[i] = new Thread(parts[i]);
            threads[i].start();
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
