// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static io.tailrace.core.mux.OneEnd.CHUNK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each nanosecond of the clock that a result waits is counted under one thing that it waits for. */
final class WaitsTest {

    private static final long STREAM = 5;
    private static final ResultFate ACCEPTED = new ResultFate(Verdict.ACCEPTED, "", false);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
    private final OneEnd client = OneEnd.client(pool);
    private final Tally tally = client.connection.tally();

    @AfterEach
    void close() {
        client.close();
    }

    /** A result of three chunks, whole: all of it waits here. */
    private Outgoing offer() throws IOException {
        Outgoing result =
                client.connection.sender().open(STREAM, new ResultId("job", 1, 1, 0), -1, new CompletableFuture<>());
        FrameBytes all = FrameBytes.multiplexed().nextStreamId(STREAM).open();
        for (int i = 0; i < 3; i++) {
            all.data(new byte[CHUNK - 32]);
        }
        List<byte[]> frames = all.end().frames();
        offer(result, frames.get(0));
        for (int i = 1; i < frames.size(); i++) {
            offer(result, frames.get(i));
        }
        client.runTasks();
        return result;
    }

    private static void offer(Outgoing result, byte[] frame) throws IOException {
        Chunk chunk = Chunk.loose(CHUNK);
        chunk.writeBytes(frame);
        assertTrue(result.offer(chunk));
        chunk.release();
    }

    private void credit(long stream, int chunks) {
        client.tell(OneEnd.frame(
                into -> ControlWriter.credit(into, new long[] {stream}, new long[] {(long) chunks * CHUNK}, 1)));
    }

    private static List<Long> waits(Outgoing result) {
        return List.of(result.creditStallNanos(), result.linkStallNanos(), result.acknowledgementStallNanos());
    }

    private void allIsOut() {
        while (client.connection.sender().bytesInside() > 0) {
            client.connection.written();
        }
    }

    @Test
    void timeGoesFromCreditToTheLinkToTheAcknowledgement() throws IOException {
        client.admit();
        Outgoing result = offer();
        client.now += 100;
        credit(STREAM, 4);
        client.now += 50;
        allIsOut();
        client.now += 30;
        client.tell(OneEnd.frame(into -> ControlWriter.fate(into, ACCEPTED, new long[] {STREAM}, 1)));
        assertEquals(ACCEPTED, result.settled());
        assertEquals(List.of(100L, 50L, 30L), waits(result));
        client.now += 1_000;
        assertEquals(List.of(100L, 50L, 30L), waits(result));
    }

    @Test
    void waitThatALostConnectionEndsIsCounted() throws IOException {
        client.admit();
        Outgoing result = offer();
        client.now += 70;
        client.connection.lost(null);
        assertEquals(List.of(70L, 0L, 0L), waits(result));
    }

    @Test
    void encoderThatHasNothingReadyWaitsForNothing() throws IOException {
        client.admit();
        Outgoing result =
                client.connection.sender().open(STREAM, new ResultId("job", 1, 1, 0), -1, new CompletableFuture<>());
        List<byte[]> frames =
                FrameBytes.multiplexed().nextStreamId(STREAM).open().end().frames();
        offer(result, frames.get(0));
        client.runTasks();
        client.now += 10;
        allIsOut();
        client.now += 500; // it encodes
        credit(0, 2); // of no use to it
        client.now += 500;
        offer(result, frames.get(1));
        client.runTasks();
        allIsOut();
        client.now += 5;
        client.tell(OneEnd.frame(into -> ControlWriter.fate(into, ACCEPTED, new long[] {STREAM}, 1)));
        assertEquals(List.of(0L, 10L, 5L), waits(result));
    }

    @Test
    void connectionCountsWhatItHoldsAndWhatItIsOwed() throws IOException {
        client.admit();
        credit(0, 1);
        assertEquals(CHUNK, tally.sharedCredit.get());
        offer();
        assertEquals(1, tally.resultsBegun.get());
        assertEquals(0, tally.sharedCredit.get());
        assertTrue(tally.inside.get() > CHUNK, () -> "inside: " + tally.inside.get());
        assertTrue(tally.backlog.sum() > CHUNK, () -> "backlog: " + tally.backlog.sum());
        credit(STREAM, 8);
        allIsOut();
        assertEquals(0, tally.inside.get());
        assertEquals(0, tally.backlog.sum());
        assertEquals(0, tally.ownCredit.get()); // void with the end of its result
        client.tell(OneEnd.frame(into -> ControlWriter.fate(into, ACCEPTED, new long[] {STREAM}, 1)));
        assertEquals(1, tally.resultsAccepted.get());
        assertEquals(0, tally.resultsFailed.get());
    }

    @Test
    void creditOfItsOwnIsVoidWithItsConnection() throws IOException {
        client.admit();
        offer();
        credit(STREAM, 50);
        assertTrue(tally.ownCredit.get() > 0);
        client.connection.lost(null);
        assertEquals(0, tally.ownCredit.get());
    }
}
