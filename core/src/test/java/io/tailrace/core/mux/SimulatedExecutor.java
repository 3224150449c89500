// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A sending process: its pool, and one connection after another. */
final class SimulatedExecutor {

    private final Simulation world;
    private final Scenario scenario;
    private final SimulatedDriver driver;
    private final String name;
    final ChunkPool pool;
    private final ChunkPool coalescing;
    private final @Nullable Proofs proofs;
    private final List<Runnable> waiting = new ArrayList<>();
    final List<Wire> wires = new ArrayList<>();
    private @Nullable Wire current;
    private boolean finishing;

    SimulatedExecutor(Simulation world, Scenario scenario, SimulatedDriver driver, String name) {
        this.world = world;
        this.scenario = scenario;
        this.driver = driver;
        this.name = name;
        this.pool = ChunkPool.builder()
                .chunkBytes(scenario.clientChunk())
                .budgetBytes((long) scenario.clientChunk() * (scenario.stalls() > 0 ? 400 : 1 + world.upTo(30)))
                .build();
        this.coalescing = ChunkPool.builder()
                .chunkBytes(scenario.clientChunk())
                .budgetBytes(scenario.clientChunk() * 1_024L)
                .build();
        this.proofs = scenario.secret() ? new Proofs(new byte[32]) : null;
    }

    /** One connection, both ends of it. */
    final class Wire implements Connection.Events {
        private final ChunkWindow small = coalescing.openWithoutWaiting("small", 1 + world.upTo(3), 0);
        private final SimulatedLink[] ends = SimulatedLink.pair(world);
        private final Connection client;
        private final Connection server;
        final Set<SimulatedSending> sendings = new LinkedHashSet<>();

        Wire() {
            client = Connection.client(
                    ends[0],
                    world::now,
                    world.loop(),
                    scenario.client(name),
                    proofs,
                    this,
                    scenario.clientChunk(),
                    small,
                    Starving.WAITS);
            server = Connection.server(
                    ends[1], world::now, world.loop(), scenario.server(), proofs, new Far(), driver, driver.pool);
            ends[0].attach(client);
            ends[1].attach(server);
            server.start(nonce(), new byte[0]);
            client.start(nonce(), new byte[0]);
            tick(client, 100 * Simulation.MILLIS);
            tick(server, scenario.spills() ? Simulation.MILLIS : 100 * Simulation.MILLIS);
        }

        Connection connection() {
            return client;
        }

        Connection server() {
            return server;
        }

        ChunkWindow coalescing() {
            return small;
        }

        SimulatedExecutor executor() {
            return SimulatedExecutor.this;
        }

        /** Credit is backed by chunks, at every moment: what is under way is not lost on either side. */
        void check(boolean quiet) {
            if (!isOpen() || ends[0].isDead() || ends[1].isDead()) {
                return;
            }
            long chunk = scenario.serverChunk();
            long credit = client.sender().sharedCredit();
            long backed = server.receiver().sharedUnused() * chunk;
            world.require(credit <= backed, () -> "shared credit " + credit + ", chunks for " + backed);
            world.require(!quiet || !idle() || credit == backed, () -> "shared credit " + credit + " of " + backed);
            for (SimulatedSending each : sendings) {
                Arriving arriving = driver.streams.get(each.stream);
                Room room = arriving == null ? null : arriving.room;
                if (each.fate() == null && !each.outgoing().terminalSent()) {
                    long own = each.outgoing().ownCredit();
                    long granted = room == null ? 0 : room.unused() * chunk;
                    world.require(own <= granted, () -> "credit " + own + ", chunks for " + granted + ": " + each);
                }
            }
        }

        /** Both ends tell the same while they can tell each other. */
        void agree(SimulatedSending sending, ResultFate fate) {
            Arriving arriving = driver.streams.get(sending.stream);
            boolean patient = !fate.reason().startsWith("no credit for");
            if (client.isOpen() && arriving != null && patient) {
                world.require(fate.equals(arriving.settled()), fate + " here, " + arriving.settled() + " there");
            }
        }

        boolean isOpen() {
            return client.isOpen() && server.isOpen();
        }

        boolean idle() {
            return ends[0].idle() && ends[1].idle();
        }

        /** Something happens to it; either end is told, or both, or none. */
        void breakDown() {
            int what = world.upTo(4);
            world.note("break " + what, sendings.size(), 0);
            switch (what) {
                case 0 -> cut(true, true);
                case 1 -> cut(true, false);
                case 2 -> cut(false, true);
                case 3 -> ends[world.upTo(1)].swallow();
                default -> {
                    ends[0].swallow();
                    ends[1].swallow();
                }
            }
        }

        void cut(boolean near, boolean far) {
            ends[0].cut(near);
            world.after(world.random.nextLong(Simulation.MILLIS), () -> ends[1].cut(far));
        }

        @Override
        public void opened(String peer) {
            world.note("opened", wires.size(), 0);
            world.require(peer.equals("driver"), "a stranger: " + peer);
            List<Runnable> starts = new ArrayList<>(waiting);
            waiting.clear();
            world.after(1, () -> starts.forEach(Runnable::run));
        }

        @Override
        public void closed(String reason, @Nullable IOException cause) {
            world.note("closed", wires.size(), reason.hashCode());
            requireHonest(reason, cause);
            if (current == this) {
                current = null;
                if (!finishing) {
                    world.after(world.random.nextLong(20 * Simulation.MILLIS), SimulatedExecutor.this::connect);
                }
            }
        }
    }

    private final class Far implements Connection.Events {
        @Override
        public void opened(String peer) {
            world.require(peer.equals(name), "a stranger: " + peer);
        }

        @Override
        public void closed(String reason, @Nullable IOException cause) {
            requireHonest(reason, cause);
        }
    }

    private void requireHonest(String reason, @Nullable IOException cause) {
        if (cause instanceof MalformedDataException || reason.contains("peer has closed the connection: ")) {
            world.require(
                    reason.contains("no sign of life") || reason.contains("handshake took") || reason.contains("done"),
                    "an honest connection was closed: " + reason + " " + cause);
        }
    }

    private byte[] nonce() {
        byte[] nonce = new byte[32];
        world.random.nextBytes(nonce);
        return nonce;
    }

    private void tick(Connection end, long period) {
        world.after(period, () -> {
            if (!end.isClosed()) {
                end.tick();
                tick(end, period);
            }
        });
    }

    void connect() {
        if (!finishing && current == null) {
            Wire wire = new Wire();
            current = wire;
            wires.add(wire);
        }
    }

    /** Sends now, or when there is a connection. */
    void send(ResultId id, boolean fails, Consumer<ResultFate> whenOver) {
        Wire wire = current;
        if (wire == null || !wire.client.isOpen()) {
            waiting.add(() -> send(id, fails, whenOver));
            return;
        }
        long stream = world.random.nextLong() | 1;
        world.note("send " + id, stream, fails ? 1 : 0);
        wire.sendings.add(new SimulatedSending(world, wire, stream, id, fails, whenOver));
    }

    void breakDown() {
        Wire wire = current;
        if (wire != null) {
            wire.breakDown();
        }
    }

    void check() {
        Wire wire = current;
        if (wire != null) {
            wire.check(false);
        }
    }

    void checkCredit() {
        for (Wire wire : wires) {
            wire.check(true);
        }
    }

    void finish() {
        finishing = true;
        for (Wire wire : wires) {
            wire.client.close(io.tailrace.core.frame.ByeReason.DONE, "done");
        }
    }

    /** To be called when nothing more can happen. */
    void requireClean() {
        for (Wire wire : wires) {
            world.require(wire.client.isClosed() && wire.server.isClosed(), "a connection stays open");
            world.require(wire.client.sender().openResults() == 0, "streams are left at the sender");
            world.require(wire.client.sender().bytesInside() == 0, "bytes are left inside the link");
            world.require(wire.small.live() == 0, "a chunk of small results is out");
            world.require(wire.sendings.isEmpty(), "no fate: " + wire.sendings);
        }
        SimulatedDriver.requireWhole(world, pool);
        SimulatedDriver.requireWhole(world, coalescing);
    }
}
