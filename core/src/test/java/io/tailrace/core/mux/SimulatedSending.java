// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One attempt on its way over one connection, as a writer would have it: a sequence of chunks from a window. */
final class SimulatedSending {

    private final Simulation world;
    private final SimulatedExecutor.Wire wire;
    final long stream;
    final ResultId id;
    private final Payload payload;
    private final int failsAt;
    private final boolean pieces;
    private final FrameSealer sealer;
    private final Outgoing outgoing;
    private final ChunkWindow window;
    private final Consumer<ResultFate> whenOver;
    private int at;
    private boolean offered;
    private boolean ended;
    private boolean scheduled;
    private @Nullable ResultFate fate;

    SimulatedSending(
            Simulation world,
            SimulatedExecutor.Wire wire,
            long stream,
            ResultId id,
            boolean fails,
            Consumer<ResultFate> whenOver) {
        this.world = world;
        this.wire = wire;
        this.stream = stream;
        this.id = id;
        this.payload = Payload.of(id);
        this.failsAt = fails ? world.upTo(payload.length()) : Integer.MAX_VALUE;
        this.pieces = world.chance(30);
        this.sealer = new FrameSealer(stream);
        this.whenOver = whenOver;
        CompletableFuture<ResultFate> told = new CompletableFuture<>();
        long declared = world.chance(30) ? payload.length() : OpenBody.UNKNOWN;
        this.outgoing = wire.connection().sender().open(stream, id, declared, told);
        this.window = wire.executor().pool.openWithoutWaiting(id, 1 + world.upTo(3), 1);
        CompletableFuture<Void> unused = told.thenAccept(known -> world.guarded(() -> over(known)));
        poke();
    }

    @Nullable
    ResultFate fate() {
        return fate;
    }

    Outgoing outgoing() {
        return outgoing;
    }

    boolean ended() {
        return ended;
    }

    private void over(ResultFate known) {
        world.require(fate == null, "a second fate of " + id);
        fate = known;
        wire.agree(this, known);
        world.note("fate " + known.verdict(), stream, id.attempt());
        stop();
        wire.sendings.remove(this);
        whenOver.accept(known);
    }

    private void poke() {
        if (!scheduled) {
            scheduled = true;
            world.after(world.random.nextLong(world.chance(90) ? 20 * Simulation.MICROS : 2 * Simulation.MILLIS), () -> {
                scheduled = false;
                step();
            });
        }
    }

    private void stop() {
        if (!ended) {
            ended = true;
            window.close();
        }
    }

    private void step() {
        if (ended) {
            return;
        }
        if (at >= failsAt) {
            fail();
            return;
        }
        Chunk chunk = window.tryAcquire(this::poke);
        if (chunk == null) {
            return;
        }
        boolean whole = fill(chunk);
        boolean taken;
        if (whole && !offered && chunk.bodyBytes() == 0 && world.chance(80)) {
            taken = offerWhole(chunk);
        } else {
            taken = offer(chunk);
        }
        offered = true;
        chunk.release();
        world.require(taken || outgoing.settled() != null, "an offer of an open result was refused: " + id);
        if (whole || !taken) {
            stop();
        } else {
            poke();
        }
    }

    private boolean offer(Chunk chunk) {
        try {
            return outgoing.offer(chunk);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private boolean offerWhole(Chunk chunk) {
        try {
            return (wire.coalescing().live() < wire.coalescing().size() && outgoing.offerWhole(chunk))
                    || outgoing.offer(chunk);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Fills a chunk with frames; true when the last is the end. */
    private boolean fill(Chunk chunk) {
        if (!offered) {
            long declared = world.chance(50) ? OpenBody.UNKNOWN : payload.length();
            sealer.appendOpen(chunk, new OpenBody(chunk.capacity(), 0, id, "sim/1", declared));
        }
        while (at < Math.min(payload.length(), failsAt)) {
            int room = chunk.writableBytes() - FrameLayout.HEADER_LENGTH - FrameLayout.END_ROOM;
            int left = Math.min(payload.length(), failsAt) - at;
            if (room >= 0 && chunk.writableBytes() >= FrameLayout.HEADER_LENGTH && world.chance(5)) {
                attach(chunk, Math.min(left, chunk.capacity() - FrameLayout.HEADER_LENGTH));
                return false;
            }
            if (room <= 0) {
                return false;
            }
            int length = Math.min(left, pieces ? 1 + world.upTo(200) : room);
            length = Math.min(length, room);
            int header = chunk.writerIndex();
            int body = header + FrameLayout.HEADER_LENGTH;
            payload.copy(at, chunk.array(), chunk.arrayOffset() + body, length);
            chunk.writerIndex(body + length);
            sealer.seal(chunk, header, FrameKind.DATA);
            at += length;
        }
        if (at >= failsAt || (world.chance(10) && offered)) {
            return at < failsAt && end(chunk);
        }
        return end(chunk);
    }

    private boolean end(Chunk chunk) {
        sealer.appendEnd(chunk);
        return true;
    }

    private void attach(Chunk chunk, int length) {
        int header = chunk.writerIndex();
        chunk.attach(payload.view(), payload.from() + at, length, null);
        chunk.writerIndex(header + FrameLayout.HEADER_LENGTH);
        sealer.sealOutOfBand(chunk, header);
        at += length;
    }

    /** Tells the other side why it will not be complete, in memory outside the pool. */
    private void fail() {
        Chunk chunk = Chunk.loose(2_048);
        FrameSealer last = sealer;
        if (!offered) {
            last = new FrameSealer(stream);
            last.appendOpen(chunk, new OpenBody(512, 0, id, "sim/1"));
        }
        ResultFailure failure =
                new ResultFailure(FailurePhase.ENCODING, "Misfit", "by design", "", at, sealer.totals().frames(), false);
        last.appendFailure(chunk, failure, chunk.writerIndex() + 1_024);
        offer(chunk);
        chunk.release();
        world.note("fails", stream, at);
        stop();
    }

    @Override
    public String toString() {
        return id + " " + at + " of " + payload.length() + (ended ? " ended" : "") + (offered ? " offered" : "")
                + " queued " + outgoing.queuedBytes() + " begun " + outgoing.begun() + " terminal "
                + outgoing.terminalSent() + " starves " + outgoing.starvedSince();
    }
}
