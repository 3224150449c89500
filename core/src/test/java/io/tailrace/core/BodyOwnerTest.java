// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.AbstractReferenceCounted;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Eventually;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.wire.ResultCancelledException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that is sent by reference and can be freed: its owner is kept as long as anybody may read it. */
class BodyOwnerTest {

    private static final int CHUNK = 512;
    private static final int CUT = CHUNK - 32;
    private static final ResultId ID = new ResultId("owner", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final Owner owner = new Owner();

    /** Spoils its memory when it is freed, so that whoever reads it then reads something else. */
    private static class Owner extends AbstractReferenceCounted {
        private final byte[] memory = new byte[30 * CUT];
        private int most;

        Owner() {
            new Random(1).nextBytes(memory);
        }

        @Override
        public ReferenceCounted retain() {
            super.retain();
            most = Math.max(most, refCnt());
            return this;
        }

        @Override
        protected void deallocate() {
            Arrays.fill(memory, (byte) 0);
        }

        @Override
        public ReferenceCounted touch(Object hint) {
            return this;
        }
    }

    private ResultEncoder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool)
                .window(4) // what a stuck write may hold, and one to write in
                .linger(Duration.ofMillis(50))
                .sendingOn(threaded ? audit.executor() : null)
                .build();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ownerIsRetainedForEachCutAndGivenUpWhenTheLastIsSent(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        byte[] expected = owner.memory.clone();
        try (ResultWriter writer = encoder(pool, threaded).open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory), owner);
            owner.release(); // ours: from here on the cuts alone keep the memory
            writer.finish();
        }
        assertEquals(0, owner.refCnt());
        assertTrue(owner.most > 1 && owner.most <= 5, "one reference a cut, at most a window of them: " + owner.most);
        assertEquals(0, owner.memory[0], "it is freed");
        assertArrayEquals(
                expected, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @Test
    void ownerOfWhatIsCopiedIsLeftAlone() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        try (ResultWriter writer = encoder(pool, false).open(ID, "bytes/1", new RecordingSink())) {
            writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory, 0, CHUNK / 2 - 1), owner);
            writer.finish();
        }
        assertEquals(1, owner.refCnt());
        assertEquals(1, owner.most + 1, "never retained");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sinkThatFailsAtAnyCutGivesTheOwnerUp(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        for (int k = 0; k < 31; k++) {
            int at = k;
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk == at) {
                    throw new IOException("cut");
                }
            });
            assertThrows(ResultFailedException.class, () -> {
                try (ResultWriter writer = encoder(pool, threaded).open(ID, "bytes/1", sink)) {
                    writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory), owner);
                    writer.finish();
                }
            });
            assertEquals(1, owner.refCnt(), "after a failure at cut " + k);
        }
        audit.cases(31);
    }

    @Test
    void ownerWhoseReleaseIsAnErrorCostsNoChunk() throws IOException {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        ReferenceCounted failing = new Owner() {
            @Override
            public boolean release() {
                throw new AssertionError("of the owner's");
            }
        };
        try (ResultWriter writer = encoder(pool, false).open(ID, "bytes/1", new RecordingSink())) {
            writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory), failing);
            writer.finish();
        }
        assertEquals(0, pool.liveBytes());
    }

    /** A sink that is stuck in a chunk until it is freed. */
    private static final class Stuck {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch freed = new CountDownLatch(1);
        private final RecordingSink sink;

        Stuck(int at) {
            sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk == at) {
                    reached.countDown();
                    while (freed.getCount() > 0) {
                        LockSupport.parkNanos(1_000_000); // deaf to interrupts, as a socket write is
                    }
                }
            });
        }
    }

    @Test
    void resultThatIsOverKeepsTheOwnerOfWhatAStuckSinkStillReads() throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        Stuck stuck = new Stuck(3);
        ResultWriter writer = encoder(pool, true).open(ID, "bytes/1", stuck.sink);
        Future<?> encoding = audit.executor().submit(() -> {
            try (writer) {
                writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory), owner);
            }
            return null;
        });
        stuck.reached.await();
        writer.cancel();
        ExecutionException thrown = assertThrows(ExecutionException.class, encoding::get);
        assertInstanceOf(ResultCancelledException.class, thrown.getCause());
        owner.release();
        assertTrue(owner.refCnt() > 0, "the sink still reads it");
        stuck.freed.countDown();
        Eventually.isTrue("the owner is given up", () -> owner.refCnt() == 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasSentMayChangeOnceItWasWaitedFor(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> LockSupport.parkNanos(200_000));
        byte[] expected = new byte[20 * 5 * CUT];
        byte[] again = new byte[5 * CUT];
        try (ResultWriter writer = encoder(pool, threaded).open(ID, "bytes/1", sink)) {
            for (int i = 0; i < 20; i++) {
                Arrays.fill(again, (byte) i);
                System.arraycopy(again, 0, expected, i * again.length, again.length);
                writer.payload().writeOutOfBand(ByteBuffer.wrap(again));
                writer.payload().awaitSent();
                assertTrue(writer.liveBytes() <= CHUNK, "nothing is out but the chunk being written");
            }
            writer.finish();
        }
        assertArrayEquals(
                expected, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void waitingForAStuckSinkEndsWhenItIsCalledOff(boolean interrupted) throws Exception {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        Stuck stuck = new Stuck(2);
        ResultWriter writer = encoder(pool, true).open(ID, "bytes/1", stuck.sink);
        CountDownLatch waiting = new CountDownLatch(1);
        Thread[] encodingThread = new Thread[1];
        Future<?> encoding = audit.executor().submit(() -> {
            encodingThread[0] = Thread.currentThread();
            try (writer) {
                writer.payload().writeOutOfBand(ByteBuffer.wrap(owner.memory, 0, 2 * CUT), owner);
                waiting.countDown();
                writer.payload().awaitSent();
            } finally {
                Thread.interrupted(); // the executor's thread goes on to other tasks
            }
            return null;
        });
        waiting.await();
        stuck.reached.await();
        if (interrupted) {
            encodingThread[0].interrupt();
        } else {
            writer.cancel();
        }
        ExecutionException thrown = assertThrows(ExecutionException.class, encoding::get);
        Class<?> wanted = interrupted ? InterruptedIOException.class : ResultCancelledException.class;
        assertEquals(wanted, thrown.getCause().getClass());
        assertTrue(owner.refCnt() > 1, "the sink still reads it");
        stuck.freed.countDown();
        Eventually.isTrue("the owner is given up", () -> owner.refCnt() == 1);
    }

    @Test
    void ownerThatCannotBeReleasedCostsNoChunk() throws IOException {
        audit.expectWarnings();
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        Owner once = new Owner() {
            @Override
            public boolean release() {
                throw new IllegalStateException("not now");
            }
        };
        try (ResultWriter writer = encoder(pool, false).open(ID, "bytes/1", new RecordingSink())) {
            writer.payload().writeOutOfBand(ByteBuffer.wrap(once.memory, 0, 2 * CUT), once);
            writer.finish();
        }
        assertEquals(2, audit.warnings().size(), audit.warnings().toString());
        assertEquals(0, pool.liveBytes());
    }
}
