// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.util.ArrayList;
import java.util.List;

/** One seed from its beginning to its end: tasks that are tried until they are accepted or given up. */
final class SimulatedRun {

    private static final long LONGEST = 600_000 * Simulation.MILLIS;
    private static final int MOST_ATTEMPTS = 4;

    private final Simulation world;
    private final Scenario scenario;
    private final SimulatedDriver driver;
    private final List<SimulatedExecutor> executors = new ArrayList<>();
    private final List<Task> tasks = new ArrayList<>();
    private int open;
    private long steps;

    /** A task; {@code sends} of it are under way. */
    private final class Task {
        final int number;
        final int length;
        int sends;
        int tries;
        int attempt;

        Task(int number) {
            this.number = number;
            this.length = world.chance(10) ? 0 : world.upTo(world.chance(60) ? 300 : scenario.longest());
        }

        void send(int which) {
            sends++;
            tries++;
            ResultId id = new ResultId("job", length, number, which);
            boolean fails = scenario.misfits() && world.chance(10);
            SimulatedExecutor by = executors.get(world.random.nextInt(executors.size()));
            by.send(id, fails, fate -> over(id, fate));
        }

        void rival() {
            if (sends > 0) {
                send(++attempt);
            }
        }

        private void over(ResultId id, ResultFate fate) {
            world.require(
                    fate.verdict() != Verdict.ACCEPTED || driver.accepted().contains(id),
                    "told of an acceptance that was none: " + id);
            sends--;
            if (fate.verdict() == Verdict.LOST && tries < MOST_ATTEMPTS) {
                send(world.chance(50) ? id.attempt() : ++attempt);
            } else if (fate.verdict() == Verdict.REFUSED && fate.retriable() && tries < MOST_ATTEMPTS) {
                send(++attempt);
            }
            if (sends == 0) {
                open--;
            }
        }
    }

    SimulatedRun(long seed) {
        world = new Simulation(seed);
        scenario = Scenario.of(world);
        driver = new SimulatedDriver(world, scenario);
        for (int i = 0; i < scenario.clients(); i++) {
            SimulatedExecutor executor = new SimulatedExecutor(world, scenario, driver, "executor " + i);
            executors.add(executor);
            executor.connect();
        }
    }

    /** Runs it; what has happened, in one number. */
    long run() {
        try {
            plan();
            play();
            settle();
            return world.trace();
        } catch (Throwable e) {
            throw new AssertionError("seed " + world.seed + " of " + scenario + ": " + e.getMessage(), e);
        }
    }

    long events() {
        return world.events();
    }

    /** Bytes that went to the receiver's disk. */
    long spilledBytes() {
        return driver.spilledBytes();
    }

    private void plan() {
        for (int i = 0; i < scenario.tasks(); i++) {
            Task task = new Task(i);
            tasks.add(task);
            open++;
            world.after(world.random.nextLong(20 * Simulation.MILLIS), () -> task.send(0));
            if (scenario.rivals() && world.chance(30)) {
                world.after(world.random.nextLong(60 * Simulation.MILLIS), task::rival);
            }
        }
        for (int i = scenario.faults() ? world.upTo(4) : 0; i > 0; i--) {
            SimulatedExecutor victim = executors.get(world.random.nextInt(executors.size()));
            world.after(world.random.nextLong(100 * Simulation.MILLIS), victim::breakDown);
        }
    }

    /** Until every task has ended; those whose readers stand still, when all others have. */
    private void play() {
        while (open > 0) {
            step();
            if (world.now() > LONGEST) {
                throw world.failure(open + " tasks do not end: " + unfinished());
            }
            if (scenario.stalls() > 0 && open <= stalled()) {
                List.copyOf(driver.reads).forEach(SimulatedReceiving::goOn);
            }
        }
    }

    private int stalled() {
        int stalled = 0;
        for (SimulatedReceiving read : driver.reads) {
            stalled += read.isStalled() ? 1 : 0;
        }
        return stalled;
    }

    private void step() {
        world.require(world.step(), () -> open + " tasks wait for nothing: " + unfinished());
        world.require(driver.pool.liveBytes() <= driver.pool.budgetBytes(), "more chunks than the budget");
        if (++steps % 8 == 0) {
            executors.forEach(SimulatedExecutor::check);
        }
    }

    private String unfinished() {
        StringBuilder text = new StringBuilder();
        for (SimulatedExecutor executor : executors) {
            executor.wires.forEach(wire -> text.append("\n  ").append(wire.sendings));
        }
        text.append("\n  read: ").append(driver.reads);
        text.append("\n  pool: ")
                .append(driver.pool.waiting())
                .append(" wait\n")
                .append(driver.pool.report());
        return text.toString();
    }

    /** Nothing is left anywhere. */
    private void settle() {
        long quiet = world.now() + 50 * Simulation.MILLIS;
        while (world.now() < quiet) {
            step();
        }
        executors.forEach(SimulatedExecutor::checkCredit);
        executors.forEach(SimulatedExecutor::finish);
        while (world.step()) {
            world.require(world.now() < 2 * LONGEST, "it does not come to rest");
        }
        executors.forEach(SimulatedExecutor::requireClean);
        driver.requireClean();
    }
}
