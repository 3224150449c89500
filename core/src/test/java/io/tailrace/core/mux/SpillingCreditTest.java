// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What a receiver keeps for results that go over its disk: places, credit, and whom it looks at. All in the test's thread. */
final class SpillingCreditTest {

    private static final int CHUNK = OneEnd.CHUNK;
    private static final long PATIENCE = 100;
    private static final long PLACE = (long) Overflow.LEAST_WINDOW * CHUNK;
    private static final int WINDOW = 8;

    private static final MuxSettings SETTINGS = new MuxSettings(
            "end",
            WINDOW,
            4,
            2 * CHUNK,
            2,
            1_000_000,
            10_000,
            1_000_000,
            Long.MAX_VALUE,
            PATIENCE,
            MuxSettings.MANY_RESULTS);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private final ArrayDeque<Runnable> disk = new ArrayDeque<>();
    private Overflow overflow;
    private OneEnd server;

    @BeforeEach
    void open() throws IOException {
        overflow = new Overflow(SpillDirectory.open(temporary.resolve("spill"), 1 << 20), disk::add, 1);
        server = OneEnd.spilling(SETTINGS, overflow, audit.pool(CHUNK, 64L * CHUNK));
        server.admit();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        runDisk();
        overflow.close();
    }

    private void runDisk() {
        for (Runnable task = disk.poll(); task != null; task = disk.poll()) {
            task.run();
        }
        server.runTasks();
    }

    /** Of a result that wants more credit; on the credit that all share. */
    private FrameBytes begun(long stream) {
        FrameBytes frames = FrameBytes.multiplexed()
                .identity("job", 0, stream, 0)
                .nextStreamId(stream)
                .open()
                .data(new byte[400]);
        server.tell(frames);
        backlog(stream, false);
        return frames;
    }

    private void backlog(long stream, boolean own) {
        byte[] body = ByteBuffer.allocate(24)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(stream)
                .putLong(0)
                .put((byte) (own ? 1 : 0))
                .array();
        server.tell(FrameBytes.multiplexed().control(0x16, body));
        server.runTasks();
    }

    private void tellLast(FrameBytes frames) {
        List<byte[]> all = frames.frames();
        server.tell(all.get(all.size() - 1));
        server.runTasks();
    }

    private void fail(FrameBytes frames) {
        tellLast(frames.failure(1, false, "", "of the test", ""));
    }

    private Arriving result(long stream) {
        return server.decoding.keySet().stream()
                .filter(each -> each.stream() == stream)
                .findFirst()
                .orElseThrow();
    }

    /** Nobody has read for so long that what has come goes to disk. */
    private void standStill() {
        for (int i = 0; i < 2; i++) {
            server.connection.tick();
            server.now += PATIENCE;
        }
        server.connection.tick();
        server.runTasks();
    }

    private long credit(long stream) {
        return server.link.credit.getOrDefault(stream, 0L);
    }

    private void settle(long stream) {
        result(stream).settle(new ResultFate(Verdict.CANCELLED, "of the test", false), null);
    }

    @Test
    void placeIsTakenByOneThatWaitsInLine() {
        begun(1);
        assertEquals(0, credit(1));
        standStill();
        assertEquals(PLACE, credit(1));
        assertEquals(0, overflow.places());
        begun(2);
        standStill();
        assertEquals(0, credit(2));
    }

    @Test
    void placeOfAResultThatFailsInLineIsTheNextOnes() {
        FrameBytes first = begun(1);
        begun(2);
        standStill();
        runDisk();
        assertEquals(0, credit(2));
        fail(first);
        assertEquals(PLACE, credit(2));
        assertEquals(0, overflow.places());
    }

    @Test
    void resultThatFailsInLineLeavesItsPlaceWhenItsChunksAreBack() {
        FrameBytes frames = begun(1);
        standStill();
        fail(frames);
        assertEquals(0, overflow.places());
        runDisk();
        assertEquals(1, overflow.places());
    }

    @Test
    void resultThatFailsInLineLeavesItsPlaceWhenAllIsOnDisk() {
        FrameBytes frames = begun(1);
        standStill();
        runDisk();
        fail(frames);
        assertEquals(1, overflow.places());
        fail(begun(2)); // has none to leave
        assertEquals(1, overflow.places());
    }

    @Test
    void resultThatIsSettledInLineLeavesItsPlace() {
        begun(1);
        standStill();
        settle(1);
        server.runTasks();
        assertEquals(1, overflow.places());
    }

    @Test
    void resultThatIsDecodedLeavesItsPlace() {
        begun(1);
        standStill();
        result(1).start();
        server.runTasks();
        assertEquals(1, overflow.places());
    }

    @Test
    void resultOfALostConnectionLeavesItsPlaceWhenItIsRead() {
        begun(1);
        begun(2);
        standStill();
        runDisk();
        server.connection.lost(null);
        assertEquals(0, overflow.places());
        result(1).start();
        server.runTasks();
        assertEquals(1, overflow.places());
    }

    @Test
    void resultThatNeedNotBeWatchedIsNot() {
        for (int stream = 1; stream <= 50; stream++) {
            server.tell(FrameBytes.multiplexed()
                    .identity("job", 0, stream, 0)
                    .nextStreamId(stream)
                    .open()
                    .data(new byte[10])
                    .end());
            settle(stream); // or the chunks that all share were kept
            server.runTasks();
            assertEquals(0, server.connection.receiver().watched());
        }
        server.tell(FrameBytes.multiplexed()
                .nextStreamId(60)
                .open()
                .data(new byte[10])
                .end());
        assertEquals(0, server.connection.receiver().watched());
        FrameBytes late = FrameBytes.multiplexed().nextStreamId(61).open();
        server.tell(late);
        settle(61);
        tellLast(late.data(new byte[10]));
        assertEquals(0, server.connection.receiver().watched());
    }

    @Test
    void resultIsWatchedOnceUntilItIsSettled() {
        FrameBytes frames = begun(1);
        for (int i = 0; i < 5; i++) {
            tellLast(frames.data(new byte[10]));
        }
        assertEquals(1, server.connection.receiver().watched());
        begun(2);
        assertEquals(2, server.connection.receiver().watched());
        standStill();
        assertEquals(2, server.connection.receiver().watched());
        settle(1);
        server.connection.tick();
        assertEquals(1, server.connection.receiver().watched());
        tellLast(frames.data(new byte[10]));
        assertEquals(1, server.connection.receiver().watched());
    }

    @Test
    void oneThatHasComeWholeIsWatchedForAChunksWorth() {
        server.tell(FrameBytes.multiplexed()
                .open()
                .data(new byte[400])
                .data(new byte[400])
                .end());
        assertEquals(1, server.connection.receiver().watched());
    }

    @Test
    void resultThatGoesToDiskHasLittleCreditIdle() {
        FrameBytes frames = begun(1);
        result(1).start();
        server.runTasks();
        assertEquals(WINDOW * CHUNK, credit(1));
        backlog(1, true);
        long used = 0;
        for (int round = 0; round < 20; round++) {
            while (used < credit(1)) {
                tellLast(frames.data(new byte[CHUNK - 32]));
                used += CHUNK;
            }
            standStill();
            runDisk();
            assertTrue(credit(1) > used, "its sender does not go on");
            assertTrue(credit(1) - used <= PLACE, () -> "credit of " + credit(1));
            assertEquals(credit(1) - used, server.connection.tally().ownCredit.get());
        }
        assertTrue(overflow.directory().bytesOnDisk() > 20L * CHUNK);
    }
}
