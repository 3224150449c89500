// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Plan.Ending;
import io.tailrace.core.testing.ProxiedConnection.Flow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;

/**
 * A proxy on loopback that does to each connection what its {@link Plan} says.
 *
 * <p>A connection holds one piece of at most 64 KiB in each direction, and one range of as much that a fault keeps; the
 * rest is in the kernel's buffers, of which the proxy's receiving ones are small, and the sender's own is not ours. A client whose server cannot be reached is reset.
 * Its text names the seeds, so that a test that fails can be repeated.
 *
 * <p><b>Threads.</b> One accepts, two or three serve a connection; closing resets all connections and waits for them all.
 */
public final class FaultyProxy implements AutoCloseable {

    private final SocketAddress target;
    private final IntFunction<Plan> plans;
    private final String planned;
    private final ServerSocketChannel listener = ServerSocketChannel.open();
    private final InetSocketAddress address;
    private final List<ProxiedConnection> connections = new CopyOnWriteArrayList<>();
    private final Threads threads = new Threads();
    private Flow flow = Flow.PASSING;

    private FaultyProxy(SocketAddress target, IntFunction<Plan> plans, String planned) throws IOException {
        this.target = target;
        this.plans = plans;
        this.planned = planned;
        listener.setOption(StandardSocketOptions.SO_RCVBUF, ProxiedConnection.SOCKET_BYTES);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        address = (InetSocketAddress) listener.getLocalAddress();
        threads.start("accept", this::accept);
    }

    /** The way to a server; a plan opens it. */
    public static Way to(SocketAddress server) {
        return new Way(server);
    }

    /** Each connection has a plan by chance, for about so many bytes of each direction. */
    public static FaultyProxy random(long seed, SocketAddress server, long upBytes, long downBytes) throws IOException {
        return new FaultyProxy(
                server, number -> Plan.random(seed + number, upBytes, downBytes), "random plans from seed " + seed);
    }

    /** Where clients connect. */
    public InetSocketAddress address() {
        return address;
    }

    /** All connections so far, the first one first. */
    public List<ProxiedConnection> connections() {
        return List.copyOf(connections);
    }

    /** The bytes that all connections passed on. */
    public long passed(Direction direction) {
        return connections.stream().mapToLong(each -> each.passed(direction)).sum();
    }

    /** Cuts all connections that are open now. */
    public void cut(Ending ending) throws IOException {
        for (ProxiedConnection connection : connections) {
            connection.cut(ending);
        }
    }

    /** Swallows what comes on all connections, new ones too, until it is healed; what was swallowed is lost. */
    public synchronized void blackhole() {
        flow = Flow.SWALLOWED;
        connections.forEach(ProxiedConnection::blackhole);
    }

    /** Passes nothing on for any connection, new ones too, until it is healed, and then all. */
    public synchronized void stall() {
        flow = Flow.STALLED;
        connections.forEach(ProxiedConnection::stall);
    }

    /** Ends stalls and blackholes, those of plans too. */
    public synchronized void heal() {
        flow = Flow.PASSING;
        connections.forEach(ProxiedConnection::heal);
    }

    private void accept() {
        while (true) {
            try {
                add(listener.accept());
            } catch (IOException e) {
                if (!listener.isOpen()) {
                    return;
                }
                throw new UncheckedIOException(e);
            }
        }
    }

    private synchronized void add(SocketChannel client) throws IOException {
        int number = connections.size();
        ProxiedConnection connection =
                new ProxiedConnection(number, plans.apply(number), flow, client, target, threads);
        connections.add(connection);
        connection.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        threads.join("accept");
        connections.forEach(connection -> connection.close(true));
        threads.join("");
    }

    @Override
    public String toString() {
        return "proxy " + address + " to " + target + ", " + planned + ", " + connections;
    }

    /** A server to come. */
    public static final class Way {
        private final SocketAddress server;

        private Way(SocketAddress server) {
            this.server = server;
        }

        /** Opens a proxy with one plan for each connection. */
        public FaultyProxy plan(Plan plan) throws IOException {
            return new FaultyProxy(server, number -> plan, plan.toString());
        }

        /** Opens a proxy with a plan for each connection by its number, from 0. */
        public FaultyProxy plans(IntFunction<Plan> plans) throws IOException {
            return new FaultyProxy(server, plans, "a plan each");
        }
    }

    /** The threads of a proxy. */
    static final class Threads {
        private static final String NAME = "tailrace-proxy-";
        private final Queue<Thread> started = new ConcurrentLinkedQueue<>();

        void start(String name, Runnable task) {
            Thread thread = new Thread(task, NAME + name);
            thread.setDaemon(true);
            thread.start();
            started.removeIf(each -> !each.isAlive());
            started.add(thread);
        }

        /** Waits for those whose name begins so. */
        void join(String name) {
            for (Thread thread : started) {
                if (thread.getName().startsWith(NAME + name)) {
                    try {
                        thread.join();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return;
                    }
                }
            }
        }
    }
}
