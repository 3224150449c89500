// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;

/**
 * A result on its way out, made faster than any link takes it: a long one by reference, in frames of a whole chunk, each the
 * same bytes.
 */
final class CapacitySending {

    private static final int WINDOW = 8;

    private final Simulation world;
    private final ResultId id;
    private final int length;
    private final Payload payload;
    private final int frameBytes;
    private final FrameSealer sealer;
    private final ChunkWindow window;
    private final ChunkWindow coalescing;
    private final Outgoing outgoing;
    private final long begunAt;
    private long wantedAt;
    private int at;
    private boolean opened;

    /** @param whenAccepted told when it began */
    CapacitySending(
            Simulation world,
            Sender sender,
            long stream,
            ResultId id,
            int chunk,
            ChunkPool pool,
            ChunkWindow coalescing,
            LongConsumer whenAccepted) {
        this.world = world;
        this.id = id;
        this.frameBytes = chunk - FrameLayout.HEADER_LENGTH;
        this.length = (int) id.stage();
        this.payload = Payload.of(id.task(), Math.min(length, frameBytes));
        this.sealer = new FrameSealer(stream);
        this.coalescing = coalescing;
        this.begunAt = world.now();
        CompletableFuture<ResultFate> told = new CompletableFuture<>();
        this.outgoing = sender.open(stream, id, OpenBody.UNKNOWN, told);
        this.window = pool.openWithoutWaiting(id, WINDOW, 1);
        CompletableFuture<Void> unused = told.thenAccept(fate -> world.guarded(() -> {
            world.require(fate.verdict() == Verdict.ACCEPTED, () -> id + " " + fate);
            whenAccepted.accept(begunAt);
        }));
        poke();
    }

    void wants() {
        wantedAt = world.now();
    }

    /** Since when it has asked for credit of its own; 0 when it has not. */
    long wantedAt() {
        return wantedAt;
    }

    private void poke() {
        world.after(Simulation.MICROS, () -> {
            try {
                step();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private void step() throws IOException {
        boolean small = length == Capacity.SMALL;
        boolean whole = false;
        while (!whole) {
            Chunk chunk = window.tryAcquire(this::poke);
            if (chunk == null) {
                return;
            }
            whole = small ? fillSmall(chunk) : fill(chunk);
            boolean gathered = small && coalescing.live() < coalescing.size() && outgoing.offerWhole(chunk);
            world.require(gathered || outgoing.offer(chunk), "an offer of an open result was refused");
            chunk.release();
        }
        window.close();
    }

    private void open(Chunk chunk) {
        if (!opened) {
            opened = true;
            sealer.appendOpen(chunk, new OpenBody(frameBytes + FrameLayout.HEADER_LENGTH, 0, id, "sim/1"));
        }
    }

    private boolean fillSmall(Chunk chunk) {
        open(chunk);
        int header = chunk.writerIndex();
        int body = header + FrameLayout.HEADER_LENGTH;
        payload.copy(0, chunk.array(), chunk.arrayOffset() + body, payload.length());
        chunk.writerIndex(body + payload.length());
        sealer.seal(chunk, header, FrameKind.DATA);
        sealer.appendEnd(chunk);
        return true;
    }

    private boolean fill(Chunk chunk) {
        open(chunk);
        int part = Math.min(frameBytes, length - at);
        if (part == 0) {
            sealer.appendEnd(chunk);
            return true;
        }
        int header = chunk.writerIndex();
        chunk.attach(payload.view(), payload.from(), part, null);
        chunk.writerIndex(header + FrameLayout.HEADER_LENGTH);
        sealer.sealOutOfBand(chunk, header);
        at += part;
        return false;
    }
}
