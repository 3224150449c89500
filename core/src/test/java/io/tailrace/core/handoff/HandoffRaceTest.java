// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Two threads meet at one fresh hand-off after another, as close in time as two processors allow. A model checker runs one
 * call after another and never sees a store that waits behind a load; this does.
 */
final class HandoffRaceTest {
    private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(Proof.FULL ? 30_000 : 1_000);
    private static final int BATCH = 512;

    private final long seed = Long.getLong("tailrace.seed", System.nanoTime());

    @Test
    void offerRacesWithTheConsumerGoingToSleep() throws Exception {
        race("offer against take", 1, 0, new Meeting() {
            @Override
            public void left(Site site) {
                site.handoff.offer(1);
            }

            @Override
            public void right(Site site) throws InterruptedException {
                assertEquals(1, site.handoff.take());
            }
        });
    }

    @Test
    void pollRacesWithTheProducerGoingToSleep() throws Exception {
        race("poll against awaitSpace", 1, 1, new Meeting() {
            @Override
            public void left(Site site) {
                assertEquals(1, site.handoff.poll());
            }

            @Override
            public void right(Site site) throws InterruptedException {
                assertTrue(site.handoff.awaitSpace());
            }
        });
    }

    @Test
    void cancelRacesWithTheConsumerGoingToSleep() throws Exception {
        race("cancel against take", 1, 0, new Meeting() {
            @Override
            public void left(Site site) {
                site.handoff.cancel();
            }

            @Override
            public void right(Site site) throws InterruptedException {
                assertEquals(null, site.handoff.take());
            }
        });
    }

    @Test
    void signalRacesWithTheWaiterGoingToSleep() throws Exception {
        race("signal against await", 1, 0, new Meeting() {
            @Override
            public void left(Site site) {
                site.ready.setRelease(true);
                site.waiting.signal();
            }

            @Override
            public void right(Site site) throws InterruptedException {
                assertTrue(site.waiting.await(site.ready::getAcquire, Waiting.NO_DEADLINE));
            }
        });
    }

    @Test
    void offerRacesWithCancel() throws Exception {
        race("offer against cancel", 2, 1, new Meeting() {
            @Override
            public void left(Site site) {
                if (site.handoff.offer(1) == OfferResult.ACCEPTED) {
                    site.accepted++;
                }
            }

            @Override
            public void right(Site site) {
                site.handoff.cancel();
            }
        });
    }

    @Test
    void pollRacesWithCancel() throws Exception {
        race("poll against cancel", 2, 2, new Meeting() {
            @Override
            public void left(Site site) {
                if (site.handoff.poll() != null) {
                    site.taken++;
                }
            }

            @Override
            public void right(Site site) {
                site.handoff.cancel();
            }
        });
    }

    @Test
    void cancelRacesWithFail() throws Exception {
        race("cancel against fail", 2, 2, new Meeting() {
            @Override
            public void left(Site site) {
                site.handoff.cancel();
            }

            @Override
            public void right(Site site) {
                site.handoff.fail(site.cause);
            }
        });
    }

    private interface Meeting {
        void left(Site site);

        void right(Site site) throws InterruptedException;
    }

    /** A fresh hand-off and its books, which are closed where one side cancels. */
    private static final class Site {
        final AtomicInteger givenBack = new AtomicInteger();
        final Handoff<Integer> handoff;
        final Waiting waiting = new Waiting(0);
        final AtomicBoolean ready = new AtomicBoolean();
        final Exception cause = new Exception("race");
        int accepted;
        int taken;

        Site(int capacity, int inside) {
            handoff = new Handoff<>(capacity, e -> givenBack.incrementAndGet(), 0);
            for (accepted = 0; accepted < inside; accepted++) {
                handoff.offer(1);
            }
        }

        void audit() {
            if (handoff.cancelled()) {
                assertEquals(0, handoff.held(), "left inside");
                assertEquals(accepted, taken + givenBack.get());
            }
        }
    }

    private void race(String name, int capacity, int inside, Meeting meeting) throws Exception {
        long end = System.nanoTime() + NANOS;
        Lane left = new Lane(new SplittableRandom(seed));
        Lane right = new Lane(new SplittableRandom(seed + 1));
        long meetings = 0;
        Site[] sites = new Site[BATCH];
        while (System.nanoTime() - end < 0) {
            for (int i = 0; i < BATCH; i++) {
                sites[i] = new Site(capacity, inside);
            }
            Lane l = left;
            Lane r = right;
            long from = meetings;
            Aside<Void> other = Aside.run("right", () -> {
                for (int i = 0; i < BATCH; i++) {
                    r.meet(l, from + i);
                    meeting.right(sites[i]);
                }
                r.at.set(from + BATCH);
                return null;
            });
            for (int i = 0; i < BATCH; i++) {
                l.meet(r, from + i);
                meeting.left(sites[i]);
            }
            l.at.set(from + BATCH);
            other.get();
            for (Site site : sites) {
                site.audit();
            }
            meetings += BATCH;
        }
        System.out.println(name + ": " + meetings + " meetings, seed " + seed);
    }

    /** One side's place in the row of meetings. */
    private static final class Lane {
        private static final long PATIENCE = TimeUnit.SECONDS.toNanos(15);

        final AtomicLong at = new AtomicLong(-1);
        private final SplittableRandom random;
        private int waste;

        Lane(SplittableRandom random) {
            this.random = random;
        }

        /** Waits for the other side at the given place, and then for some nanoseconds at random. */
        void meet(Lane other, long place) {
            at.set(place);
            long start = System.nanoTime();
            for (int turns = 1; other.at.get() < place; turns++) {
                if (turns % 10_000 == 0) {
                    LockSupport.parkNanos(1);
                    if (System.nanoTime() - start > PATIENCE) {
                        throw new AssertionError("the other side sleeps for ever, at meeting " + place);
                    }
                }
            }
            for (int delay = random.nextInt(64); delay > 0; delay--) {
                waste = waste * 31 + delay;
            }
        }
    }
}
