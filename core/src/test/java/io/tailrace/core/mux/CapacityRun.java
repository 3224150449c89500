// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Many executors and one driver, whose link is what they all have to share. Each sends two results at a time, a long one and
 * a small one, and the next when the last was accepted.
 */
final class CapacityRun {

    /** Executors send their payload by reference, so theirs may be small. */
    private static final int SENDERS_CHUNK = 2 << 10;

    /** Executors come one after another within this time, and begin at once. */
    private static final long ARRIVALS = 10 * Simulation.MILLIS;

    private final Capacity capacity;
    private final Simulation world = new Simulation(1);
    private final Trunk up = new Trunk(world);
    private final Trunk down = new Trunk(world);
    private final ChunkPool pool;
    private final ChunkPool readers;
    private final ChunkPool sending;
    private final ResultReader.Builder reading;
    private final ArrayDeque<Entry> line = new ArrayDeque<>();
    private final List<Executor> executors = new ArrayList<>();
    private int share;
    private int sharing;
    private int decoding;
    private int open;
    private int admitted;
    private final Durations credit = new Durations();
    private final Durations longOnes = new Durations();
    private final Durations small = new Durations();

    private record Entry(Executor by, Arriving arriving) {}

    private static final class Durations {
        private long[] values = new long[64];
        private int count;

        void add(long value) {
            values = count == values.length ? Arrays.copyOf(values, 2 * count) : values;
            values[count++] = value;
        }

        CapacityFigures.Percentiles percentiles() {
            return CapacityFigures.Percentiles.of(values, count);
        }
    }

    CapacityRun(Capacity capacity) {
        this.capacity = capacity;
        this.share = capacity.chunks() / 4;
        this.pool = pool(capacity.chunk(), capacity.budget());
        this.readers = pool(capacity.chunk(), 4L * capacity.decoders() * capacity.chunk());
        this.sending = pool(SENDERS_CHUNK, 32L * SENDERS_CHUNK * capacity.executors());
        this.reading = ResultReader.builder(readers).window(2);
    }

    private static ChunkPool pool(int chunk, long budget) {
        return ChunkPool.builder().chunkBytes(chunk).budgetBytes(budget).build();
    }

    /** One connection, both ends of it. */
    private final class Executor implements Connection.Events, Host, Trunk.Watch {
        final int number;
        final Connection client;
        final Connection server;
        private final Trunk.End clientEnd = up.new End(this);
        private final Trunk.End serverEnd = down.new End(this);
        private final ChunkWindow gathering = sending.openWithoutWaiting("small", 4, 0);
        private final Map<Long, CapacitySending> sendings = new HashMap<>();
        private final Set<CapacityReading> readings = new LinkedHashSet<>();
        private final long begunAt = world.now();
        private long streams;
        private boolean longOnesDone;
        private long finishedAt;

        Executor(int number) {
            this.number = number;
            client = Connection.client(
                    clientEnd,
                    world::now,
                    world.loop(),
                    Capacity.client("executor"),
                    null,
                    this,
                    SENDERS_CHUNK,
                    gathering,
                    Starving.WAITS);
            server = Connection.server(
                    serverEnd, world::now, world.loop(), capacity.server(), null, new Far(), this, pool);
            clientEnd.attach(client, serverEnd);
            serverEnd.attach(server, clientEnd);
            server.start(new byte[32], new byte[0]);
            client.start(new byte[32], new byte[0]);
        }

        @Override
        public void opened(String peer) {
            sendLong(capacity.rounds());
            sendSmall();
        }

        @Override
        public void closed(String reason, @Nullable IOException cause) {
            world.require(finishedAt > 0, () -> "closed early: " + reason);
        }

        private void sendLong(int times) {
            if (times == 0) {
                longOnesDone = true;
            } else {
                send(capacity.bytes(), longOnes, () -> sendLong(times - 1));
            }
        }

        private void sendSmall() {
            if (longOnesDone) {
                finishedAt = world.now() - begunAt;
                open--;
            } else {
                send(Capacity.SMALL, small, this::sendSmall);
            }
        }

        private void send(int bytes, Durations durations, Runnable then) {
            long stream = ++streams;
            ResultId id = new ResultId("job", bytes, number, (int) stream);
            CapacitySending made = new CapacitySending(
                    world, client.sender(), stream, id, capacity.chunk(), sending, gathering, begun -> {
                        sendings.remove(stream);
                        durations.add(world.now() - begun);
                        world.after(Simulation.MICROS, then);
                    });
            sendings.put(stream, made);
        }

        @Override
        public void wants(long stream, boolean own) {
            CapacitySending of = sendings.get(stream);
            if (of == null) {
                return;
            }
            if (own) {
                credit.add(world.now() - of.wantedAt());
            } else {
                of.wants();
            }
        }

        @Override
        public void arrived() {
            for (CapacityReading each : readings) {
                each.wake();
            }
        }

        @Override
        public boolean admit(Arriving result) {
            admitted++;
            return true;
        }

        @Override
        public void decode(Arriving result) {
            line.add(new Entry(this, result));
            world.after(Capacity.DECODING_STEP, CapacityRun.this::employ);
        }

        @Override
        public void lost(Arriving result) {
            throw world.failure("a connection was lost");
        }

        @Override
        public int takeShare(int chunks) {
            int taken = Math.min(share, chunks);
            share -= taken;
            sharing += taken > 0 ? 1 : 0;
            return taken;
        }

        @Override
        public void giveShare(int chunks) {
            share += chunks;
        }
    }

    private static final class Far implements Connection.Events {
        @Override
        public void opened(String peer) {}

        @Override
        public void closed(String reason, @Nullable IOException cause) {}
    }

    private void employ() {
        Entry entry = decoding == capacity.mostDecoded() ? null : line.poll();
        if (entry == null) {
            return;
        }
        decoding++;
        Executor by = entry.by;
        CapacityReading[] self = new CapacityReading[1];
        CapacityReading read = new CapacityReading(world, entry.arriving, reading, () -> {
            by.readings.remove(self[0]);
            decoding--;
            world.after(Capacity.DECODING_STEP, this::employ);
        });
        self[0] = read;
        by.readings.add(read);
        read.start();
    }

    CapacityFigures run() {
        open = capacity.executors();
        for (int i = 0; i < capacity.executors(); i++) {
            int number = i;
            world.at(ARRIVALS * i / capacity.executors(), () -> executors.add(new Executor(number)));
        }
        while (open > 0) {
            world.require(world.step(), () -> open + " executors wait for nothing");
            world.require(pool.liveBytes() <= capacity.budget(), "more chunks than the budget");
        }
        CapacityFigures figures = figures(world.now());
        close();
        return figures;
    }

    private CapacityFigures figures(long nanos) {
        long[] finished = executors.stream().mapToLong(each -> each.finishedAt).toArray();
        double seconds = nanos / 1e9;
        return new CapacityFigures(
                capacity,
                sharing,
                pool.peakLiveBytes(),
                admitted,
                credit.percentiles(),
                longOnes.percentiles(),
                small.percentiles(),
                CapacityFigures.jain(finished),
                up.carriedBytes() / seconds / Capacity.LINK_BYTES_PER_SECOND,
                admitted / seconds);
    }

    /** Nothing is left anywhere. */
    private void close() {
        executors.forEach(each -> each.client.close(ByeReason.DONE, "done"));
        while (world.step()) {
            world.require(open == 0, "nothing begins any more");
        }
        world.require(share == capacity.chunks() / 4, "a share was not given back");
        world.require(line.isEmpty() && decoding == 0, "results are left");
        SimulatedDriver.requireWhole(world, pool);
        SimulatedDriver.requireWhole(world, readers);
        SimulatedDriver.requireWhole(world, sending);
    }
}
