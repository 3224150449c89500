// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One direction of a proxied connection: takes a piece, does to it what the plan says, and passes it on.
 *
 * <p><b>Threads.</b> Run by a thread of its own; the counters may be read by any.
 */
final class ProxyPump implements Runnable {

    private static final long SECOND_NANOS = 1_000_000_000L;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final ProxiedConnection connection;
    private final Direction direction;
    private final SocketChannel from;
    private final SocketChannel to;
    private final Plan.Pace pace;
    private final Queue<Fault> faults;
    private final SplittableRandom dice;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong passed = new AtomicLong();
    private final AtomicLong pieces = new AtomicLong();
    private int flips;
    private ByteBuffer kept = NOTHING;
    private long keptUntil;
    private boolean keptPasses;
    private long freeAt = System.nanoTime();

    ProxyPump(ProxiedConnection connection, Direction direction, SocketChannel from, SocketChannel to) {
        this.connection = connection;
        this.direction = direction;
        this.from = from;
        this.to = to;
        Plan.Lane lane = connection.plan().lane(direction);
        this.pace = lane.pace();
        this.faults = new ArrayDeque<>(lane.faults());
        this.dice = new SplittableRandom(2 * connection.plan().seed() + (direction == Direction.UP ? 0 : 1));
    }

    ProxiedConnection connection() {
        return connection;
    }

    long taken() {
        return taken.get();
    }

    long passed() {
        return passed.get();
    }

    long pieces() {
        return pieces.get();
    }

    @Override
    public void run() {
        try {
            connection.connect(direction);
            pump();
            connection.ended(to);
        } catch (IOException e) {
            connection.broke();
        }
    }

    private void pump() throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(mostPiece());
        while (true) {
            strike();
            int n = from.read(piece.clear().limit(room()));
            if (n < 0) {
                break;
            }
            piece.flip().put(0, (byte) (piece.get(0) ^ flips));
            flips = 0;
            connection.pause(dice.nextLong(pace.leastNanos(), pace.mostNanos() + 1));
            keepRate(n);
            if (connection.passes()) {
                blackholeBehind(piece);
                pass(piece);
            }
            taken.addAndGet(n);
        }
        if (!keptPasses) {
            tell();
        }
    }

    /** Begins ahead of the last piece that passes, lest its receiver's answer be quicker. */
    private void blackholeBehind(ByteBuffer piece) {
        if (faults.peek() instanceof Fault.Blackhole next && next.at() == taken() + piece.remaining()) {
            faults.remove();
            next.strike(this);
        }
    }

    private void strike() throws IOException {
        Fault next = faults.peek();
        while (next != null && next.at() == taken()) {
            faults.remove();
            next.strike(this);
            next = faults.peek();
        }
    }

    /** How much may be taken, so that no piece goes past a fault or the end of what is kept. */
    private int room() {
        long room = dice.nextInt(Math.min(pace.leastPiece(), mostPiece()), mostPiece() + 1);
        Fault next = faults.peek();
        if (next != null) {
            room = Math.min(room, next.at() - taken());
        }
        if (keptUntil > taken()) {
            room = Math.min(room, keptUntil - taken());
        }
        return (int) room;
    }

    private int mostPiece() {
        long tenth = pace.bytesPerSecond() == 0 ? Plan.PIECE_BYTES : Math.max(1, pace.bytesPerSecond() / 10);
        return (int) Math.min(pace.mostPiece(), tenth);
    }

    private void keepRate(int bytes) throws IOException {
        if (pace.bytesPerSecond() != 0) {
            connection.pause(freeAt - System.nanoTime());
            freeAt = Math.max(freeAt, System.nanoTime()) + bytes * SECOND_NANOS / pace.bytesPerSecond();
        }
    }

    private void pass(ByteBuffer piece) throws IOException {
        if (taken() < keptUntil) {
            kept.put(piece.duplicate());
            if (!keptPasses) {
                return;
            }
        }
        write(piece);
    }

    private void write(ByteBuffer piece) throws IOException {
        pieces.incrementAndGet();
        while (piece.hasRemaining()) {
            passed.addAndGet(to.write(piece));
        }
    }

    void flip(int bit) {
        flips ^= 1 << bit;
    }

    void keep(int length, boolean passes) {
        kept = ByteBuffer.allocate(length);
        keptUntil = taken() + length;
        keptPasses = passes;
    }

    void tell() throws IOException {
        if (kept.position() > 0 && connection.passes()) {
            write(kept.flip());
        }
        kept = NOTHING;
    }
}
