// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few calls explains itself by some order of them; afterwards everything is accounted for. */
@Param(name = "element", gen = IntGen.class, conf = "1:9")
public final class HandoffLincheckTest {
    private static final int CAPACITY = 2;

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
    void modelCheckerFindsNoOrderlessRun() {
        new ModelCheckingOptions()
                .iterations(Proof.FULL ? 200 : 10)
                .invocationsPerIteration(Proof.FULL ? 10_000 : 500)
                .threads(3)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(Sequential.class)
                .check(HandoffLincheckTest.class);
    }

    @Test
    void stressFindsNoOrderlessRun() {
        new StressOptions()
                .iterations(Proof.FULL ? 200 : 10)
                .invocationsPerIteration(Proof.FULL ? 20_000 : 1_000)
                .threads(3)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(Sequential.class)
                .check(HandoffLincheckTest.class);
    }
}
