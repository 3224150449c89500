// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.UndeliveredResultException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The receiving process: who is let in, who is read when, and what becomes of it; a result is read by steps of the world. */
final class SimulatedDriver implements Host {

    private final Simulation world;
    private final Scenario scenario;
    final ChunkPool pool;
    final ChunkPool readers;
    final ResultReader.Builder reading;
    private final Incarnations incarnations = new Incarnations(100_000);
    private final JobAccounts jobs;
    private final ArrayDeque<Entry> line = new ArrayDeque<>();
    private final Map<ResultId, Verdict> fates = new HashMap<>();
    private final Map<String, Integer> newest = new HashMap<>();
    private final Set<ResultId> accepted = new HashSet<>();
    final Set<SimulatedReceiving> reads = new LinkedHashSet<>();
    /** What has become of what came as a stream, as far as it was told. */
    final Map<Long, Arriving> streams = new HashMap<>();

    private int decoders;
    private int results;
    private int share;
    private int stalls;
    private long acceptedBytes;
    private final @Nullable Overflow overflow;

    /** A result that was let in. */
    record Entry(Arriving arriving, Opening.Fresh opening, JobAccounts.Account account) {}

    SimulatedDriver(Simulation world, Scenario scenario) {
        this.world = world;
        this.scenario = scenario;
        this.jobs = new JobAccounts(scenario.maxJobBytes());
        this.share = scenario.budget() / 4;
        this.stalls = scenario.stalls();
        this.pool = ChunkPool.builder()
                .chunkBytes(scenario.serverChunk())
                .budgetBytes((long) scenario.serverChunk() * scenario.budget())
                .build();
        this.readers = ChunkPool.builder()
                .chunkBytes(scenario.serverChunk())
                .budgetBytes(scenario.serverChunk() * 64L)
                .build();
        this.reading = ResultReader.builder(readers).window(2);
        this.overflow = scenario.spills() ? disk() : null;
    }

    private Overflow disk() {
        try {
            SpillDirectory directory =
                    SpillDirectory.open(Files.createTempDirectory("tailrace-sim-"), scenario.diskBytes());
            return new Overflow(
                    directory,
                    task -> world.after(world.random.nextLong(2 * Simulation.MILLIS), task),
                    scenario.places());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public @Nullable Overflow overflow() {
        return overflow;
    }

    long spilledBytes() {
        return overflow == null ? 0 : overflow.directory().writtenBytes();
    }

    @Override
    public boolean admit(Arriving arriving) {
        ResultId id = arriving.id();
        world.note("admit", arriving.stream(), id.attempt());
        world.require(streams.put(arriving.stream(), arriving) == null, "a stream came twice");
        Opening opening = incarnations.open(id, by -> supersede(arriving, by.attempt()));
        if (opening instanceof Opening.Fresh fresh) {
            return open(arriving, fresh);
        }
        if (opening instanceof Opening.Recorded recorded) {
            world.require(
                    fates.get(id) == recorded.fate().verdict(), "a replay of " + id + " is told " + recorded.fate());
            arriving.settle(recorded.fate(), null);
        } else if (opening instanceof Opening.Stale stale) {
            supersede(arriving, stale.instead());
        } else if (opening instanceof Opening.Running running
                && !running.whenEnded(fate -> arriving.settle(fate, null))) {
            refuse(arriving, "too many ask");
        }
        return false;
    }

    private boolean open(Arriving arriving, Opening.Fresh fresh) {
        ResultId id = arriving.id();
        world.require(!fates.containsKey(id), "an attempt that has ended is let in again: " + id);
        newest.merge(task(id), id.attempt(), Math::max);
        try {
            JobAccounts.Account account = jobs.open(id, arriving.declaredBytes());
            results++;
            arriving.admitted(account, new Entry(arriving, fresh, account));
            return true;
        } catch (ResultTooLargeException e) {
            ResultFate fate = new ResultFate(Verdict.REFUSED, "too large", false);
            fresh.settle(fate);
            fates.put(id, fate.verdict());
            arriving.settle(fate, e);
            return false;
        }
    }

    private static String task(ResultId id) {
        return id.stage() + "/" + id.task();
    }

    private void refuse(Arriving arriving, String reason) {
        ResultFate fate = new ResultFate(Verdict.REFUSED, reason, true);
        arriving.settle(fate, new UndeliveredResultException(fate, 0, arriving.id(), null));
    }

    private void supersede(Arriving arriving, int by) {
        ResultFate fate = new ResultFate(Verdict.SUPERSEDED, "attempt " + by + " counts instead", false);
        arriving.settle(fate, new UndeliveredResultException(fate, 0, arriving.id(), null));
    }

    @Override
    public void decode(Arriving arriving) {
        Object attachment = arriving.attachment();
        world.require(attachment instanceof Entry, "decoded, and never let in: " + arriving.id());
        line.add((Entry) attachment);
        world.after(world.random.nextLong(50 * Simulation.MICROS), this::employ);
    }

    private void employ() {
        if (decoders == scenario.decoders()) {
            return;
        }
        Entry entry = line.poll();
        if (entry != null) {
            decoders++;
            boolean stalled = stalls > 0 && world.chance(30);
            if (stalled) {
                stalls--;
            }
            reads.add(new SimulatedReceiving(world, this, entry, scenario.misfits(), stalled));
        }
    }

    /** Somebody wants no more of it. */
    void cancel(Entry entry) {
        ResultFate fate = new ResultFate(Verdict.CANCELLED, "enough", false);
        if (entry.opening.settle(fate)) {
            fates.put(entry.arriving.id(), fate.verdict());
            entry.arriving.settle(fate, new IOException("cancelled"));
        }
    }

    /** A reader is through with it. */
    void end(SimulatedReceiving read, Entry entry, ResultFate fate, @Nullable Throwable thrown) {
        reads.remove(read);
        ResultId id = entry.arriving.id();
        ResultFate known = entry.arriving.settled(); // by its job's limit, maybe
        ResultFate last = known == null ? fate : known;
        boolean counts = entry.opening.settle(last);
        world.note("end " + last.verdict() + " " + thrown, entry.arriving.stream(), counts ? 1 : 0);
        if (counts) {
            world.require(fates.put(id, last.verdict()) == null, "a second fate is recorded of " + id);
        }
        if (counts && last.verdict() == Verdict.ACCEPTED) {
            world.require(accepted.add(id), "accepted twice: " + id);
            world.require(newest.getOrDefault(task(id), id.attempt()) == id.attempt(), "not the newest: " + id);
            entry.account.keep();
            acceptedBytes += id.stage();
        } else {
            entry.account.refund();
        }
        results--;
        if (counts) {
            if (last.verdict() == Verdict.ACCEPTED && world.many.nextBoolean()) {
                entry.arriving.settleAmongMany(last); // as when another is in line
            } else {
                entry.arriving.settle(last, null);
            }
        }
        decoders--;
        world.after(world.random.nextLong(50 * Simulation.MICROS), this::employ);
    }

    boolean acceptedAny(String task, int attempts) {
        for (ResultId id : accepted) {
            if (task(id).equals(task) && id.attempt() < attempts) {
                return true;
            }
        }
        return false;
    }

    Set<ResultId> accepted() {
        return accepted;
    }

    @Override
    public void lost(Arriving result) {
        world.note("lost", result.stream(), 0);
    }

    @Override
    public int takeShare(int chunks) {
        int taken = Math.min(share, chunks);
        share -= taken;
        return taken;
    }

    @Override
    public void giveShare(int chunks) {
        share += chunks;
    }

    void requireClean() {
        world.require(line.isEmpty() && reads.isEmpty() && decoders == 0 && results == 0, "results are left");
        world.require(share == scenario.budget() / 4, "a share was not given back");
        world.require(incarnations.running() == 0, "attempts still run");
        world.require(jobs.counted("job") == acceptedBytes, jobs.counted("job") + " counted of " + acceptedBytes);
        requireWhole(world, pool);
        requireWhole(world, readers);
        Overflow disk = overflow;
        if (disk != null) {
            world.require(disk.places() == scenario.places(), "a place was not given back");
            world.require(disk.directory().files() == 0, "a file is left");
            world.require(disk.directory().bytesOnDisk() == 0, "the disk's budget was not given back");
            world.require(disk.directory().peakBytesOnDisk() <= scenario.diskBytes(), "more than the disk's budget");
            closeDisk(disk);
        }
    }

    private static void closeDisk(Overflow disk) {
        try {
            Path folder = disk.directory().lockFile().getParent();
            disk.close();
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void requireWhole(Simulation world, ChunkPool pool) {
        world.require(pool.liveBytes() == 0, "chunks are out:\n" + pool.report());
        world.require(pool.freeBytes() == pool.budgetBytes(), "a reserve was not given back");
        world.require(pool.waiting() == 0, "somebody still waits for the budget");
        pool.close();
    }
}
