// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection's bytes: they take time, come in whatever pieces, and may be lost with the connection, of which
 * either end is told or not.
 *
 * <p><b>Ownership.</b> A region is held until its bytes are out, or the link is dead.
 */
final class SimulatedLink implements Link {

    private static final class Item {
        final byte[] bytes;
        final @Nullable Region region;

        Item(byte[] bytes, @Nullable Region region) {
            this.bytes = bytes;
            this.region = region;
        }
    }

    private final Simulation world;
    private final long latency;
    private final long nanosPerByte;
    private final ArrayDeque<Item> written = new ArrayDeque<>();
    private final ArrayDeque<Item> flushed = new ArrayDeque<>();
    private @Nullable SimulatedLink peer;
    private @Nullable Connection connection;
    private boolean transmitting;
    private boolean closing;
    private boolean dead;
    private boolean swallows;
    private long lastArrival;
    private int underWay;
    private int regions;

    private SimulatedLink(Simulation world, long latency, long nanosPerByte) {
        this.world = world;
        this.latency = latency;
        this.nanosPerByte = nanosPerByte;
    }

    /** Two ends of one connection. */
    static SimulatedLink[] pair(Simulation world) {
        long latency = 1 + world.random.nextLong(world.chance(80) ? 200 * Simulation.MICROS : 20 * Simulation.MILLIS);
        long nanosPerByte = world.chance(70) ? 1 : 1 + world.upTo(100);
        SimulatedLink one = new SimulatedLink(world, latency, nanosPerByte);
        SimulatedLink other = new SimulatedLink(world, latency, nanosPerByte);
        one.peer = other;
        other.peer = one;
        return new SimulatedLink[] {one, other};
    }

    void attach(Connection end) {
        connection = end;
    }

    private SimulatedLink peer() {
        SimulatedLink other = peer;
        if (other == null) {
            throw new IllegalStateException("no peer");
        }
        return other;
    }

    private Connection connection() {
        Connection mine = connection;
        if (mine == null) {
            throw new IllegalStateException("no connection");
        }
        return mine;
    }

    /** Nothing is on its way from this end. */
    boolean idle() {
        return written.isEmpty() && flushed.isEmpty() && underWay == 0 && regions == 0;
    }

    boolean isDead() {
        return dead;
    }

    @Override
    public void write(Departure frames) {
        if (!(frames instanceof Region region)) {
            throw new AssertionError("nothing is spilled");
        }
        byte[] bytes = new byte[region.wireBytes()];
        ByteBuffer body = region.body();
        System.arraycopy(
                region.chunk().array(),
                region.chunk().arrayOffset() + region.from(),
                bytes,
                0,
                region.length());
        if (body != null) {
            body.duplicate().get(bytes, region.length(), bytes.length - region.length());
        }
        regions++;
        write(new Item(bytes, region));
    }

    @Override
    public void write(ByteBuf frame) {
        byte[] bytes = ByteBufUtil.getBytes(frame);
        frame.release();
        write(new Item(bytes, null));
    }

    private void write(Item item) {
        world.require(!closing, "something was written behind the last frame");
        if (dead) {
            out(item);
        } else {
            written.add(item);
        }
    }

    @Override
    public void flush() {
        flushed.addAll(written);
        written.clear();
        transmit();
    }

    @Override
    public void close() {
        closing = true;
        flushed.addAll(written);
        written.clear();
        transmit();
    }

    private void transmit() {
        if (transmitting || dead) {
            return;
        }
        Item item = flushed.poll();
        if (item == null) {
            if (closing) {
                world.after(world.random.nextLong(Simulation.MILLIS), this::end);
            }
            return;
        }
        transmitting = true;
        world.after(item.bytes.length * nanosPerByte, () -> {
            transmitting = false;
            if (!dead) {
                send(item.bytes);
            }
            out(item);
            transmit();
        });
    }

    private void out(Item item) {
        Region region = item.region;
        if (region != null) {
            region.release();
            world.after(1 + world.random.nextLong(10 * Simulation.MICROS), () -> {
                regions--;
                connection().written();
            });
        }
    }

    private void send(byte[] bytes) {
        int from = 0;
        while (from < bytes.length) {
            int left = bytes.length - from;
            int length = world.chance(70) ? left : 1 + world.random.nextInt(left);
            int begin = from;
            underWay++;
            lastArrival = Math.max(lastArrival + 1, world.now() + latency + world.random.nextLong(20 * Simulation.MICROS));
            world.at(lastArrival, () -> {
                underWay--;
                if (!swallows) {
                    peer().arrive(bytes, begin, length);
                }
            });
            from += length;
        }
    }

    private void arrive(byte[] bytes, int from, int length) {
        if (dead) {
            return;
        }
        connection().received(ByteBuffer.wrap(bytes, from, length));
        if (world.chance(80)) {
            connection().receivedAll();
        } else {
            world.after(world.random.nextLong(5 * Simulation.MICROS), connection()::receivedAll);
        }
    }

    /** Closed in order: the other end has all that was sent. */
    private void end() {
        if (dead) {
            return;
        }
        die();
        connection().lost(null);
        lastArrival = Math.max(lastArrival + 1, world.now() + latency);
        world.at(lastArrival, () -> {
            if (!swallows) {
                peer().hangUp();
            }
        });
    }

    private void hangUp() {
        if (!dead) {
            die();
            connection().lost(null);
        }
    }

    /** The connection is gone, with what is under way; this end is told or not. */
    void cut(boolean told) {
        if (!dead) {
            die();
            if (told) {
                connection().lost(new IOException("reset"));
            }
        }
    }

    /** What this end sends comes no more; nobody is told. */
    void swallow() {
        swallows = true;
    }

    private void die() {
        dead = true;
        for (Item item = written.poll(); item != null; item = written.poll()) {
            out(item);
        }
        for (Item item = flushed.poll(); item != null; item = flushed.poll()) {
            out(item);
        }
    }
}
