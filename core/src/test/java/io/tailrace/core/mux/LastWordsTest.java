// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static io.tailrace.core.mux.Tapped.CHUNK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What a connection and its results do when they end while something else is half done. */
final class LastWordsTest {

    private static final ResultId ID = new ResultId("job", 0, 5, 0);
    private static final ResultFate LOST = new ResultFate(Verdict.LOST, "gone", true);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);

    @Test
    void creditNotToldYetIsNotToldBehindTheFarewell() {
        Shares host = new Shares();
        Tapped server = Tapped.server(host, pool, null);
        server.greet(false, false, CHUNK);
        server.receive(into -> Tapped.open(into, 7));
        var backlog = Unpooled.buffer();
        ControlWriter.backlog(backlog, 7, 100, false);
        server.connection.received(ByteBuffer.wrap(backlog.array(), 0, backlog.writerIndex()));

        server.connection.close(ByeReason.SHUTTING_DOWN, "");
        host.result().settle(LOST, null);

        assertEquals(FrameKind.BYE, server.told.get(server.told.size() - 1));
        host.result().close();
    }

    @Test
    void whoClosesWhenToldOfTheOpeningKeepsNothing() {
        Shares host = new Shares();
        Tapped server = Tapped.server(host, pool, null);
        server.closesAtOnce = true;
        server.greet(false, false, CHUNK);
        assertTrue(server.connection.isClosed());
        assertEquals(0, host.taken);
    }

    @Test
    void whoWaitsToSendASmallResultIsToldThatTheConnectionIsLost() throws Exception {
        Tapped client = Tapped.client(pool, null);
        CompletableFuture<ResultFate> fate = new CompletableFuture<>();
        List<Chunk> small = new ArrayList<>();
        try (ChunkWindow window = pool.open("writers", 4, 4)) {
            for (int i = 0; i < 3; i++) {
                Chunk chunk = window.acquire();
                FrameSealer sealer = Tapped.open(chunk, 5 + i);
                Tapped.data(chunk, sealer, 300);
                sealer.appendEnd(chunk);
                small.add(chunk);
            }
            for (int i = 0; i < 2; i++) {
                assertTrue(open(client, 5 + i, new CompletableFuture<>()).offerWhole(small.get(i)));
            }
            Outgoing last = open(client, 7, fate);
            Future<Boolean> taken = audit.executor().submit(() -> last.offerWhole(small.get(2)));
            Eventually.isTrue("it waits for a chunk", () -> client.coalescing().waiting() == 1);

            client.connection.lost(null);

            assertFalse(taken.get(10, TimeUnit.SECONDS));
            assertFalse(last.offer(small.get(2)) && last.settled() == null);
            assertEquals(Verdict.LOST, fate.get(10, TimeUnit.SECONDS).verdict());
            small.forEach(Chunk::release);
        }
    }

    @Test
    void failureThatWaitsForItsTurnDoesNotGoToDisk(@TempDir Path folder) throws Exception {
        Tapped client = Tapped.client(pool, null);
        client.greet(true, false, CHUNK);
        Outgoing result = open(client, 5, new CompletableFuture<>());
        FrameSealer sealer = new FrameSealer(5);
        offer(result, chunk -> sealer.appendOpen(chunk, Tapped.opening(5)));
        Outgoing other = open(client, 6, new CompletableFuture<>());
        offer(other, chunk -> Tapped.open(chunk, 6));
        for (int i = 7; client.connection.sender().bytesInside() <= (Tapped.SETTINGS.mostInside() - 1L) * CHUNK; i++) {
            long stream = i;
            offer(open(client, stream, new CompletableFuture<>()), chunk -> Tapped.open(chunk, stream));
        }
        offer(result, chunk -> sealer.appendFailure(chunk, failure(), CHUNK));
        try (SpillDirectory directory = SpillDirectory.open(folder.resolve("spill"), 1 << 20)) {
            result.moveTo(directory, Runnable::run);
            client.connection.written();
            assertEquals(FrameKind.FAILURE, client.told.get(client.told.size() - 1));
            client.connection.lost(null);
            assertEquals(0, directory.files());
        }
    }

    @Test
    void nothingIsTakenFromAFileThatHasEnded(@TempDir Path folder) throws Exception {
        try (SpillDirectory directory = SpillDirectory.open(folder.resolve("spill"), 1 << 20)) {
            List<Runnable> later = new ArrayList<>();
            Spill spill = new Spill(directory.open(ID), later::add);
            spill.end();
            Chunk chunk = Chunk.loose(CHUNK);
            Tapped.data(chunk, new FrameSealer(5), 100);
            assertTrue(spill.append(Region.all(chunk)));
            assertFalse(spill.hasFrames());
            assertNull(spill.take((end, bytes) -> true, CHUNK, 0));
            chunk.release();
            later.forEach(Runnable::run);
        }
    }

    private static ResultFailure failure() {
        return new ResultFailure(FailurePhase.ENCODING, "Misfit", "by design", "", 0, 1, false);
    }

    private static Outgoing open(Tapped client, long stream, CompletableFuture<ResultFate> fate) {
        return client.connection.sender().open(stream, ID, -1, fate);
    }

    private interface Filling {
        void into(Chunk chunk);
    }

    private static void offer(Outgoing result, Filling filling) throws Exception {
        Chunk chunk = Chunk.loose(CHUNK);
        filling.into(chunk);
        assertTrue(result.offer(chunk));
        chunk.release();
    }

    /** Lets all in, and counts the shares. */
    private static final class Shares implements Host {
        int taken;
        private final List<Arriving> results = new ArrayList<>();

        Arriving result() {
            return results.get(0);
        }

        @Override
        public boolean admit(Arriving result) {
            return true;
        }

        @Override
        public void decode(Arriving result) {
            results.add(result);
            result.start();
        }

        @Override
        public void lost(Arriving result) {}

        @Override
        public int takeShare(int chunks) {
            taken += chunks;
            return chunks;
        }

        @Override
        public void giveShare(int chunks) {
            taken -= chunks;
        }
    }
}
