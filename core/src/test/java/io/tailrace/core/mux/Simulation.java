// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A world on one thread: what happens, happens at a virtual time, in an order that the seed alone decides.
 *
 * <p>{@code -Dtailrace.sim.log=true} prints all that is noted.
 */
final class Simulation {

    static final long MICROS = 1_000;
    static final long MILLIS = 1_000_000;

    private static final boolean LOG = Boolean.getBoolean("tailrace.sim.log");

    private record Event(long at, long number, Runnable task) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
        }
    }

    final long seed;
    final SplittableRandom random;

    /** Its own: other scenarios are what they were without. */
    final SplittableRandom many;

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long now = 1;
    private long numbers;
    private long trace;
    private @Nullable Throwable broken;

    Simulation(long seed) {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.many = new SplittableRandom(seed ^ 0x5EED);
    }

    long now() {
        return now;
    }

    /** What has happened so far, in one number. */
    long trace() {
        return trace;
    }

    long events() {
        return numbers;
    }

    void at(long when, Runnable task) {
        events.add(new Event(Math.max(now, when), numbers++, task));
    }

    void after(long nanos, Runnable task) {
        at(now + nanos, task);
    }

    /** Goes on to the next event; false when there is none. */
    boolean step() {
        Event event = events.poll();
        if (event == null) {
            return false;
        }
        now = event.at;
        event.task.run();
        if (broken != null) {
            throw new AssertionError(broken.getMessage(), broken);
        }
        return true;
    }

    /** For what is called where exceptions are caught: its failure is the world's. */
    void guarded(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            broken = e;
            throw e;
        }
    }

    /** From 0 to most, which it may be. */
    int upTo(int most) {
        return random.nextInt(most + 1);
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    void note(String what, long first, long second) {
        trace = (trace ^ what.hashCode()) * 0x9E3779B97F4A7C15L;
        trace = (trace ^ now ^ first * 31 ^ Long.rotateLeft(second, 21)) * 0xBF58476D1CE4E5B9L;
        trace ^= trace >>> 29;
        if (LOG) {
            System.out.println(now / 1_000 + " µs " + what + " " + Long.toHexString(first) + " " + second);
        }
    }

    AssertionError failure(String what) {
        return new AssertionError("at " + now / 1_000 + " µs: " + what);
    }

    void require(boolean holds, String what) {
        if (!holds) {
            throw failure(what);
        }
    }

    void require(boolean holds, Supplier<String> what) {
        if (!holds) {
            throw failure(what.get());
        }
    }

    /** An event loop: its tasks run in order, a little later. */
    Loop loop() {
        return new Loop() {
            private long last;

            @Override
            public void execute(Runnable task) {
                last = Math.max(last, now + random.nextInt(20_000));
                at(last, task);
            }

            @Override
            public void executeSoon(Runnable task) {
                after(MILLIS, () -> execute(task));
            }
        };
    }
}
