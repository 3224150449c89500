// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The loop, the task that moves and the reader meet at any moment: no frame is lost, repeated or overtaken. */
final class SpillingRaceTest {

    private static final int CHUNK = 512;
    private static final ResultId ID = new ResultId("job", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path temporary;

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final ChunkPool pool = audit.pool(CHUNK, 64L * CHUNK);
    private long spilled;

    @AfterEach
    void endLoop() {
        loop.shutdown();
    }

    /** Lets nothing in: results are made by the test. */
    private record Nobody(Overflow overflow) implements Host {
        @Override
        public boolean admit(Arriving result) {
            return false;
        }

        @Override
        public void decode(Arriving result) {}

        @Override
        public void lost(Arriving result) {}

        @Override
        public int takeShare(int chunks) {
            return 0;
        }

        @Override
        public void giveShare(int chunks) {}
    }

    private static MuxSettings settings() {
        return new MuxSettings("server", 8, 0, 0, 1, 0, 0, 0, Long.MAX_VALUE, Long.MAX_VALUE, MuxSettings.MANY_RESULTS);
    }

    @Test
    void framesComeInOrderWhateverWayTheyTake() throws Exception {
        Random random = audit.random();
        int rounds = LeakAudit.FULL ? 3_000 : 60;
        for (int round = 0; round < rounds; round++) {
            long disk = random.nextInt(3) == 0 ? random.nextInt(20_000) : 10_000_000;
            try (Overflow overflow = overflow(disk)) {
                Receiver receiver = new Receiver(
                        new HeldLink(),
                        System::nanoTime,
                        new Aside(loop),
                        new Nobody(overflow),
                        settings(),
                        pool,
                        new Tally());
                Arriving result = new Arriving(receiver, 7, new OpenBody(CHUNK, 0, ID, "race/1"), new byte[40]);
                Spilling spilling = result.spillTo(overflow);
                result.start();
                int frames = 1 + random.nextInt(1_000);
                int endsAt = random.nextInt(4) == 0 ? random.nextInt(frames) : frames;
                long seed = random.nextLong();
                Future<?> loops = audit.executor().submit(() -> append(result, spilling, frames, endsAt, seed));
                long read = readAll(result, new Random(seed + 1));
                loops.get(20, TimeUnit.SECONDS);
                assertTrue(read == frames || endsAt < frames, () -> read + " of " + frames);
                result.close();
                assertTrue(overflow.directory().peakBytesOnDisk() <= disk);
                Eventually.isTrue("it is gone", () -> overflow.directory().files() == 0);
                assertEquals(0, overflow.directory().bytesOnDisk());
                spilled += overflow.directory().writtenBytes();
            }
            Eventually.isTrue("nothing is held", () -> pool.freeBytes() == pool.budgetBytes());
        }
        assertTrue(spilled > 1_000L * rounds, () -> spilled + " bytes went to disk");
        audit.cases(rounds);
    }

    private Overflow overflow(long disk) throws IOException {
        return new Overflow(SpillDirectory.open(temporary.resolve("spill"), disk), audit.executor(), 0);
    }

    /** What the loop does: some frames a chunk, now and then one gulp more; the reader has stood still when chance says so. */
    private @Nullable Void append(Arriving result, Spilling spilling, int frames, int endsAt, long seed)
            throws IOException {
        Random random = new Random(seed);
        try (ChunkWindow window = pool.open("the loop", 8, 2)) {
            int next = 0;
            while (next < frames && result.settled() == null) {
                Chunk chunk = window.acquire();
                int at = 0;
                while (next < frames && at + 140 < CHUNK) {
                    int length = frame(chunk, at, next++, random.nextInt(100));
                    result.append(chunk, at, length);
                    at += length;
                }
                chunk.release();
                if (random.nextInt(20) == 0) {
                    spilling.begin();
                }
                result.tellReader();
                if (next > endsAt) {
                    result.settle(new ResultFate(Verdict.CANCELLED, "", false), new IOException("of the test"));
                }
                LockSupport.parkNanos(random.nextInt(3) == 0 ? random.nextInt(100_000) : 0);
            }
        }
        result.complete();
        return null;
    }

    private static int frame(Chunk chunk, int at, int number, int more) {
        ByteBuffer bytes = ByteBuffer.wrap(chunk.array(), chunk.arrayOffset() + at, CHUNK - at)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN);
        int body = Integer.BYTES + more;
        bytes.putInt(16, body); // where a header tells the wire length
        bytes.putInt(FrameLayout.HEADER_LENGTH, number);
        return FrameLayout.HEADER_LENGTH + body;
    }

    /** How many frames came, in order, until the end or until it was settled. */
    private static long readAll(Arriving result, Random random) throws IOException {
        long seen = 0;
        try {
            ByteBuffer opening = result.next();
            assertTrue(opening != null && opening.remaining() == 40);
            for (ByteBuffer gulp = result.next(); gulp != null; gulp = result.next()) {
                gulp.order(ByteOrder.LITTLE_ENDIAN);
                while (gulp.hasRemaining()) {
                    int at = gulp.position();
                    assertEquals(seen++, gulp.getInt(at + FrameLayout.HEADER_LENGTH));
                    gulp.position(at + FrameLayout.HEADER_LENGTH + gulp.getInt(at + 16));
                }
                LockSupport.parkNanos(random.nextInt(10) == 0 ? random.nextInt(1_000_000) : 0);
            }
        } catch (IOException e) {
            assertTrue(result.settled() != null, e::toString);
        }
        return seen;
    }

    private record Aside(ExecutorService thread) implements Loop {
        @Override
        public void execute(Runnable task) {
            thread.execute(task);
        }

        @Override
        public void executeSoon(Runnable task) {
            thread.execute(task);
        }
    }
}
