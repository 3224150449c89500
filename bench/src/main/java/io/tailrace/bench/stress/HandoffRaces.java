// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.tailrace.core.handoff.Handoff;
import io.tailrace.core.handoff.OfferResult;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Races between the two sides and an end. Results: taken, lost or doubled, left inside. */
public final class HandoffRaces {
    private HandoffRaces() {}

    /** The hand-off with its books, holding one element. Its kinds are open because jcstress extends them. */
    public abstract static sealed class Books permits OfferPollCancel, OfferCancel, PollCancel, CancelTwice {
        final AtomicInteger givenBack = new AtomicInteger();
        final Handoff<Integer> handoff = new Handoff<>(2, e -> givenBack.incrementAndGet());
        int accepted;
        int taken;

        Books() {
            offer();
        }

        final void offer() {
            if (handoff.offer(1) == OfferResult.ACCEPTED) {
                accepted++;
            }
        }

        final void poll() {
            if (handoff.poll() != null) {
                taken++;
            }
        }

        final void close(III_Result result) {
            result.r1 = taken;
            result.r2 = accepted - taken - givenBack.get();
            result.r3 = handoff.held();
        }
    }

    /** Producer, consumer and a third thread; jcstress leaves it out where there are fewer than three processors. */
    @JCStressTest
    @Outcome(
            id = {"0, 0, 0", "1, 0, 0"},
            expect = ACCEPTABLE,
            desc = "each element taken once or given back once")
    @State
    public static non-sealed class OfferPollCancel extends Books {
        @Actor
        public void producer() {
            offer();
        }

        @Actor
        public void consumer() {
            poll();
        }

        @Actor
        public void third() {
            handoff.cancel();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }

    /** A late producer against the thread that drains. */
    @JCStressTest
    @Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "each element given back once")
    @State
    public static non-sealed class OfferCancel extends Books {
        @Actor
        public void producer() {
            offer();
        }

        @Actor
        public void third() {
            handoff.cancel();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }

    /** A consumer that holds the claim against the thread that drains. */
    @JCStressTest
    @Outcome(
            id = {"0, 0, 0", "1, 0, 0"},
            expect = ACCEPTABLE,
            desc = "the element taken once or given back once")
    @State
    public static non-sealed class PollCancel extends Books {
        @Actor
        public void consumer() {
            poll();
        }

        @Actor
        public void canceller() {
            handoff.cancel();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }

    /** Two threads that end it at once. */
    @JCStressTest
    @Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "the element given back once")
    @State
    public static non-sealed class CancelTwice extends Books {
        @Actor
        public void one() {
            handoff.cancel();
        }

        @Actor
        public void other() {
            handoff.cancel();
        }

        @Arbiter
        public void arbiter(III_Result result) {
            close(result);
        }
    }
}
