// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.testing.Plan.Ending;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One connection through a {@link FaultyProxy}, which is two: the client's, and ours to the server.
 *
 * <p><b>Threads.</b> A thread for each direction, and a third after a cut by FIN; any thread may ask, cut and heal. All of
 * them wait on one condition, and closing ends every wait.
 */
public final class ProxiedConnection {

    /** So that a direction that is not read stops its sender soon; as much as lets loopback be fast. */
    static final int SOCKET_BYTES = 128 << 10;

    private static final long LINGER_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** What becomes of bytes. */
    enum Flow {
        PASSING,
        STALLED,
        SWALLOWED,
        /** Swallowed after a cut by FIN. */
        ENDING,
        CLOSED
    }

    private final int number;
    private final Plan plan;
    private final SocketAddress target;
    private final FaultyProxy.Threads threads;
    private final SocketChannel client;
    private final SocketChannel server;
    private final ProxyPump up;
    private final ProxyPump down;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Flow flow;
    private boolean connected;
    private int directions = 2;
    private long heals;

    ProxiedConnection(
            int number, Plan plan, Flow flow, SocketChannel client, SocketAddress target, FaultyProxy.Threads threads)
            throws IOException {
        this.number = number;
        this.plan = plan;
        this.flow = flow;
        this.client = client;
        this.target = target;
        this.threads = threads;
        this.server = SocketChannel.open();
        this.up = new ProxyPump(this, Direction.UP, client, server);
        this.down = new ProxyPump(this, Direction.DOWN, server, client);
    }

    void start() {
        threads.start(number + "-up", up);
        threads.start(number + "-down", down);
    }

    public Plan plan() {
        return plan;
    }

    /** The bytes taken so far from who sends them, passed on or not. */
    public long taken(Direction direction) {
        return pump(direction).taken();
    }

    /** The bytes passed on so far. */
    public long passed(Direction direction) {
        return pump(direction).passed();
    }

    /** How many pieces they came in. */
    public long pieces(Direction direction) {
        return pump(direction).pieces();
    }

    private ProxyPump pump(Direction direction) {
        return direction == Direction.UP ? up : down;
    }

    public boolean isOpen() {
        lock.lock();
        try {
            return flow != Flow.CLOSED;
        } finally {
            lock.unlock();
        }
    }

    /** Cuts it now. */
    public void cut(Ending ending) throws IOException {
        lock.lock();
        try {
            if (ending == Ending.RESET) {
                close(true);
            } else if (become(Flow.ENDING)) {
                threads.start(number + "-ending", this::linger);
                if (connected) {
                    client.shutdownOutput();
                    server.shutdownOutput();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Swallows what comes from now on in both directions, until it is healed. */
    public void blackhole() {
        become(Flow.SWALLOWED);
    }

    /** Passes nothing on from now on in both directions, until it is healed, and then all. */
    public void stall() {
        become(Flow.STALLED);
    }

    /** Ends stalls and blackholes. */
    public void heal() {
        become(Flow.PASSING);
    }

    private boolean become(Flow next) {
        lock.lock();
        try {
            if (flow == Flow.ENDING || flow == Flow.CLOSED) {
                return false;
            }
            flow = next;
            heals += next == Flow.PASSING ? 1 : 0;
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The upward thread connects; the other waits for it. */
    void connect(Direction direction) throws IOException {
        if (direction == Direction.UP) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            server.setOption(StandardSocketOptions.TCP_NODELAY, true);
            server.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BYTES);
            server.connect(target);
        }
        lock.lock();
        try {
            connected |= direction == Direction.UP;
            changed.signalAll();
            while (!connected && flow != Flow.CLOSED) {
                changed.awaitUninterruptibly();
            }
            if (flow == Flow.CLOSED) {
                throw new ClosedChannelException();
            }
            if (flow == Flow.ENDING && direction == Direction.UP) {
                client.shutdownOutput();
                server.shutdownOutput();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits so long, or until it is healed. */
    void stall(long nanos) throws IOException {
        await(nanos, true);
    }

    /** Waits so long. */
    void pause(long nanos) throws IOException {
        await(nanos, false);
    }

    private void await(long nanos, boolean unlessHealed) throws IOException {
        lock.lock();
        try {
            long before = heals;
            long left = nanos;
            while (left > 0 && flow != Flow.ENDING && flow != Flow.CLOSED && !(unlessHealed && heals != before)) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        } finally {
            lock.unlock();
        }
    }

    /** Whether bytes in hand are to be passed on, as soon as that is known. */
    boolean passes() {
        lock.lock();
        try {
            while (flow == Flow.STALLED) {
                changed.awaitUninterruptibly();
            }
            return flow == Flow.PASSING;
        } finally {
            lock.unlock();
        }
    }

    /** The sender ended its stream well. */
    void ended(SocketChannel to) throws IOException {
        lock.lock();
        try {
            awaitHealed();
            if (flow == Flow.PASSING) {
                to.shutdownOutput();
            }
            directions--;
            changed.signalAll();
            if (directions == 0 && flow == Flow.PASSING) {
                close(false);
            }
        } finally {
            lock.unlock();
        }
    }

    /** One of the peers has reset its connection, or could not be reached: so is the other's. */
    void broke() {
        lock.lock();
        try {
            awaitHealed();
            directions--;
            changed.signalAll();
            if (flow == Flow.PASSING) {
                close(true);
            }
        } finally {
            lock.unlock();
        }
    }

    private void awaitHealed() {
        while (flow == Flow.STALLED || flow == Flow.SWALLOWED) {
            changed.awaitUninterruptibly();
        }
    }

    /** Closing at once would be a reset, which may overtake what was passed on, if anything was not yet read. */
    private void linger() {
        lock.lock();
        try {
            long left = LINGER_NANOS;
            while (left > 0 && directions > 0 && flow != Flow.CLOSED) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            close(false);
            lock.unlock();
        }
    }

    void close(boolean reset) {
        lock.lock();
        try {
            flow = Flow.CLOSED;
            changed.signalAll();
            close(client, reset);
            close(server, reset);
        } finally {
            lock.unlock();
        }
    }

    private static void close(SocketChannel channel, boolean reset) {
        try (channel) {
            if (reset && channel.isOpen()) { // one that could not connect is closed
                channel.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "connection " + number + ": up " + passed(Direction.UP) + " bytes, down " + passed(Direction.DOWN)
                + " bytes, " + plan;
    }
}
