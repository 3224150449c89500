// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tasks that need more chunks than the process has for them go on one another's releases, and never wait in a ring. */
class PoolExhaustionTest {

    private static final int CHUNK = 512;
    private static final ResultId ID = new ResultId("job", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @ParameterizedTest(name = "threaded {0}, compressed {1}")
    @CsvSource({"false,false", "true,false", "false,true", "true,true"})
    void tasksOnAPoolOfTheirReservesNeverDeadlock(boolean threaded, boolean compressed) throws Exception {
        BlockCompression compression = compressed ? new PackBits() : null;
        int reserve = compressed ? 2 : 1;
        int[] sizes = LeakAudit.FULL ? IntStream.rangeClosed(1, 256).toArray() : new int[] {1, 2, 3, 7, 32, 256};
        int rounds = LeakAudit.FULL ? 40 : 3; // 256 × 40 = 10,240 rounds
        long results = 0;
        for (int tasks : sizes) {
            ChunkPool pool = audit.pool(CHUNK, (long) tasks * reserve * CHUNK);
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .window(reserve + 1)
                    .compression(compression)
                    .sendingOn(threaded ? audit.executor() : null)
                    .build();
            for (int round = 0; round < rounds; round++) {
                results += together(tasks, encoder, pool);
            }
            assertTrue(pool.peakLiveBytes() <= pool.budgetBytes());
        }
        audit.cases((long) sizes.length * rounds);
        audit.figure(results + " results");
    }

    /** All reserves are granted before the first task goes on: the pool has not one permit more. */
    private long together(int tasks, ResultEncoder encoder, ChunkPool pool) throws Exception {
        CyclicBarrier opened = new CyclicBarrier(tasks);
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < tasks; t++) {
            Sample value = new Sample(t, 2 * CHUNK / Long.BYTES + t);
            running.add(audit.executor().submit(() -> {
                try (ResultWriter writer = encoder.open(ID, "sample/1", new CountingSink())) {
                    opened.await(60, TimeUnit.SECONDS);
                    Sample.CODEC.encode(value, writer.payload());
                    writer.trailer().writeInt(1);
                    return writer.finish();
                }
            }));
        }
        for (Future<?> task : running) {
            task.get(60, TimeUnit.SECONDS);
        }
        assertEquals(0, pool.liveBytes(), pool.report());
        assertEquals(pool.budgetBytes(), pool.freeBytes());
        return tasks;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void moreTasksThanReservesTakeTurns(boolean threaded) throws Exception {
        int tasks = 64;
        ChunkPool pool = audit.pool(CHUNK, 5L * CHUNK);
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .window(4)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        int rounds = LeakAudit.FULL ? 500 : 5;
        for (int round = 0; round < rounds; round++) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < tasks; t++) {
                Sample value = new Sample(t, 400);
                running.add(audit.executor().submit(() -> encoder.encode(ID, Sample.CODEC, value, new CountingSink())));
            }
            for (Future<?> task : running) {
                task.get(60, TimeUnit.SECONDS);
            }
            audit.requireWhole();
        }
        assertTrue(pool.peakLiveBytes() <= pool.budgetBytes());
        audit.cases((long) rounds * tasks);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void resultBesideAHoarderGoesOnWithItsReserve(boolean threaded) throws Exception {
        // One result holds all that is not reserved, and does nothing.
        ChunkPool pool = audit.pool(CHUNK, 4L * CHUNK);
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .window(4)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        RecordingSink sink = new RecordingSink();
        try (ResultWriter slow = encoder.open(ID, "sample/1", sink);
                var hoarder = pool.open("hoarder", 3, 3)) {
            assertEquals(0, pool.freeBytes());
            Sample value = new Sample(3, 1_000);
            Sample.CODEC.encode(value, slow.payload());
            ResultSummary summary = slow.finish();
            assertEquals(8_000, summary.payloadBytes());
            assertEquals(0, hoarder.live());
        }
        assertTrue(Received.all(pool, sink.toByteArray()).get(0).complete());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void spentBudgetRefusesTheOpeningRetriablyAndTellsNobody(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(CHUNK).patience(Duration.ofMillis(20)));
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        RecordingSink first = new RecordingSink();
        RecordingSink second = new RecordingSink();
        try (ResultWriter writer = encoder.open(ID, "sample/1", first)) {
            BudgetExhaustedException refused =
                    assertThrows(BudgetExhaustedException.class, () -> encoder.open(ID, "sample/1", second));
            assertTrue(refused.retriable());
            assertEquals(ID, refused.resultId());
            assertEquals(CHUNK, refused.limit());
            Sample.CODEC.encode(new Sample(1, 500), writer.payload());
            writer.finish();
        }
        assertEquals(0, second.chunks());
        encoder.encode(ID, Sample.CODEC, new Sample(2, 500), second);
        assertTrue(Received.all(pool, second.toByteArray()).get(0).complete());
    }

    @Test
    void poolThatIsClosedUnderAResultFailsIt() throws IOException {
        ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(8 * CHUNK).build();
        RecordingSink sink = new RecordingSink();
        ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, "sample/1", sink);
        writer.payload().writeLong(1);
        assertThrows(IllegalStateException.class, pool::close);
        ResultFailedException failed = assertThrows(
                ResultFailedException.class, () -> Sample.CODEC.encode(new Sample(1, 500), writer.payload()));
        assertEquals(IllegalStateException.class.getName(), failed.failure().className());
        assertFalse(failed.retriable(), "the pool stays closed");
        writer.close();
        assertEquals(1, sink.terminalFrames());
        assertEquals(0, pool.liveBytes());
        assertEquals(pool.budgetBytes(), pool.freeBytes());
    }

    /** Takes everything, keeps nothing. */
    private static final class CountingSink implements FrameSink {
        private long bytes;

        @Override
        public void write(FrameBatch batch) {
            bytes += batch.bytes();
        }

        @Override
        public void complete() {
            assertTrue(bytes > 0);
        }

        @Override
        public void close() {}
    }
}
