// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.ValueCodec;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches in whole results: what is copied, what is alive while it is sent, and what is told when it fails. */
class ArrowResultTest {

    private static final int CHUNK = 64 << 10;
    private static final int WINDOW = 4;
    private static final int ROWS = 100_000;
    private static final int BATCHES = 5;
    private static final ResultId ID = new ResultId("arrow", 1, 2, 0);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final RootAllocator allocator = new RootAllocator();
    private final ValueCodec<ArrowReader> codec = ArrowCodecs.batches(allocator);

    @AfterEach
    void allIsGivenBack() {
        allocator.close(); // throws where anything is left
    }

    private ResultEncoder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool)
                .window(WINDOW)
                .sendingOn(threaded ? audit.executor() : null)
                .linger(Duration.ofMillis(50))
                .build();
    }

    private byte[] expected() throws IOException {
        try (VectorSchemaRoot root = Batches.longs(allocator)) {
            return Batches.arrows(Batches.longs(root, BATCHES, ROWS));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void batchesAreReadWhileFramesArriveAndTheCodecIsChecked(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        byte[] frames;
        try (VectorSchemaRoot root = Batches.longs(allocator);
                MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            ResultSummary summary = encoder(pool, threaded).encode(ID, codec, Batches.longs(root, BATCHES, ROWS), sink);
            assertEquals(expected().length, summary.payloadBytes());
            assertTrue(pool.peakLiveBytes() <= (long) WINDOW * CHUNK, pool.peakLiveBytes() + " bytes");
            frames = sink.toByteArray();
        }
        assertArrayEquals(expected(), Received.all(pool, frames).get(0).payload());
        try (ResultReader reader = ResultReader.builder(pool)
                .readingOn(threaded ? audit.executor() : null)
                .open(Channels.newChannel(new ByteArrayInputStream(frames)))) {
            assertTrue(reader.nextResult());
            assertEquals("arrow-stream/1", reader.codecId());
            try (ArrowReader batches = reader.decode(codec)) {
                for (int batch = 0; batch < BATCHES; batch++) {
                    assertTrue(batches.loadNextBatch());
                    BigIntVector longs =
                            (BigIntVector) batches.getVectorSchemaRoot().getVector(0);
                    assertEquals(ROWS, longs.getValueCount());
                    for (int i = 0; i < ROWS; i++) {
                        assertEquals((long) batch << 32 | i, longs.get(i));
                    }
                }
                assertFalse(batches.loadNextBatch());
            }
            reader.finish();
            assertFalse(reader.nextResult());
        }
    }

    @Test
    void payloadOfAnotherCodecIsRefusedUnread() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        try (MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            try (ResultWriter writer = encoder(pool, false).open(ID, "other/1", sink)) {
                writer.payload().writeLong(1);
                writer.finish();
            }
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                MalformedDataException refused = assertThrows(MalformedDataException.class, () -> reader.decode(codec));
                assertTrue(refused.getMessage().contains("other/1"), refused.getMessage());
                assertEquals(ID, refused.resultId());
            }
        }
    }

    /** Counts bytes by whether they lie in the vector's own memory or in a chunk. */
    private static final class Places implements FrameSink {
        private final long address;
        private final long capacity;
        long inPlace;
        long copied;

        Places(ArrowBuf vector) {
            this.address = vector.memoryAddress();
            this.capacity = vector.capacity();
        }

        @Override
        public void write(FrameBatch batch) {
            for (int i = 0; i < batch.size(); i++) {
                Chunk chunk = batch.get(i);
                ByteBuffer body = chunk.body();
                copied += chunk.readableBytes();
                if (body != null) {
                    assertTrue(body.isDirect());
                    long at = org.apache.arrow.memory.util.MemoryUtil.getByteBufferAddress(body) + body.position();
                    assertTrue(at >= address && at + body.remaining() <= address + capacity, "it lies elsewhere");
                    inPlace += body.remaining();
                }
            }
        }

        @Override
        public void close() {}
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bodyOfHalfAChunkAndMoreReachesTheSinkWhereItLiesAndALesserOneInItsChunk(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        for (int bytes : new int[] {8, CHUNK / 2 - 8, CHUNK / 2, 10 * CHUNK}) {
            try (VectorSchemaRoot root = Batches.longs(allocator)) {
                Batches.fillLongs(root, 0, bytes / Long.BYTES);
                Places places = new Places(root.getVector(0).getDataBuffer());
                int[] left = {3};
                encoder(pool, threaded).encode(ID, codec, ArrowCodecs.filled(root, into -> left[0]-- > 0), places);
                if (bytes < CHUNK / 2) {
                    assertEquals(0, places.inPlace);
                } else {
                    long rest =
                            places.copied; // what is left of a body behind its last whole cut, marks of nulls, metadata
                    assertTrue(places.inPlace > 3L * bytes - 3L * CHUNK / 2, places.inPlace + " of " + bytes);
                    assertTrue(rest < 3L * CHUNK / 2 + 3L * bytes / 32 + 4_096, rest + " copied");
                    audit.figure(
                            places.inPlace + " of " + 3L * bytes + " bytes of bodies reached the sink where they lay");
                }
            }
        }
    }

    /** References to a buffer by others than its vector. */
    private static int references(VectorSchemaRoot root) {
        return root.getVector(0).getDataBuffer().refCnt();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sent", "failed", "cancelled", "interrupted"})
    void bodyIsAliveUntilAStuckSinkIsDoneWithItAndNoLonger(String end) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch freed = new CountDownLatch(1);
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            if (chunk == 3) {
                stuck.countDown();
                try {
                    freed.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                if (end.equals("failed")) {
                    throw new IOException("the sink's own");
                }
            }
        });
        if (!end.equals("sent")) {
            audit.expectWarnings();
        }
        VectorSchemaRoot root = Batches.longs(allocator);
        Batches.fillLongs(root, 0, ROWS);
        ArrowBuf held = root.getVector(0).getDataBuffer();
        int[] asked = {0};
        ResultWriter writer = encoder(pool, true).open(ID, codec.id(), sink);
        Future<ResultSummary> encoding = audit.executor().submit(() -> {
            try (writer) {
                codec.encode(ArrowCodecs.filled(root, into -> asked[0]++ == 0), writer.payload());
                return writer.finish();
            }
        });
        stuck.await();
        Thread.sleep(50);
        assertEquals(1, asked[0], "the next batch is asked for before this one is sent");
        assertTrue(references(root) > 1, "nobody else keeps the body");
        if (end.equals("cancelled")) {
            writer.cancel();
        } else if (end.equals("interrupted")) {
            encoding.cancel(true);
        }
        Thread.sleep(150);
        root.close(); // the vector's own reference
        assertTrue(held.refCnt() > 0, "the sink is still reading");
        assertTrue(allocator.getAllocatedMemory() > 0);
        freed.countDown();
        if (end.equals("sent")) {
            encoding.get();
            assertEquals(1, Received.all(pool, sink.toByteArray()).size());
        } else {
            Exception failed = assertThrows(Exception.class, encoding::get);
            assertTrue(failed instanceof ExecutionException || failed instanceof CancellationException);
        }
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (allocator.getAllocatedMemory() > 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertEquals(0, allocator.getAllocatedMemory(), "bodies are kept after they are sent");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rootThatIsOverwrittenInPlaceArrivesAsItWasThroughASlowSink(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(1 << 12, 64L << 12);
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            if (chunk % 8 == 0) {
                Thread.onSpinWait();
                java.util.concurrent.locks.LockSupport.parkNanos(200_000);
            }
        });
        byte[] expected;
        try (VectorSchemaRoot root = Batches.longs(allocator)) {
            expected = Batches.arrows(Batches.longs(root, 20, 3_000));
            encoder(pool, threaded).encode(ID, codec, Batches.longs(root, 20, 3_000), sink);
        }
        assertArrayEquals(
                expected, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sinkThatFailsAtAnyChunkLeavesNothingBehind(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        for (int k = 0; k < 60; k += 3) {
            int at = k;
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk == at) {
                    throw new IOException("cut");
                }
            });
            try (VectorSchemaRoot root = Batches.longs(allocator)) {
                ResultFailedException failed = assertThrows(
                        ResultFailedException.class,
                        () -> encoder(pool, threaded).encode(ID, codec, Batches.longs(root, BATCHES, ROWS), sink));
                assertEquals("cut", failed.getCause().getMessage());
            }
            assertEquals(0, allocator.getAllocatedMemory());
            audit.requireWhole();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sourcesOwnExceptionFailsTheResultAsItIsAndTheNextOneIsUnharmed(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        try (VectorSchemaRoot root = Batches.longs(allocator);
                MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            IOException own = new IOException("no more rows");
            int[] asked = {0};
            assertSame(
                    own,
                    assertThrows(
                            IOException.class,
                            () -> encoder(pool, threaded)
                                    .encode(
                                            ID,
                                            codec,
                                            ArrowCodecs.filled(root, into -> {
                                                if (asked[0]++ == 2) {
                                                    throw own;
                                                }
                                                Batches.fillLongs(into, asked[0], ROWS);
                                                return true;
                                            }),
                                            sink)));
            encoder(pool, threaded).encode(ID, codec, Batches.longs(root, 1, 10), sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                try (ArrowReader batches = reader.decode(codec)) {
                    assertTrue(batches.loadNextBatch());
                    // What the chunk in hand held of the second is not sent.
                    assertThrows(ResultFailedException.class, batches::loadNextBatch);
                    assertThrows(ResultFailedException.class, batches::loadNextBatch);
                }
                assertTrue(reader.nextResult());
                try (ArrowReader batches = reader.decode(codec)) {
                    assertTrue(batches.loadNextBatch());
                    assertEquals(10, batches.getVectorSchemaRoot().getRowCount());
                    assertFalse(batches.loadNextBatch());
                }
                reader.finish();
            }
        }
    }

    @Test
    void streamThatIsCutIsTruncatedWhereverItIsCut() throws IOException {
        ChunkPool pool = audit.pool(1 << 12, 64L << 12);
        byte[] frames;
        try (VectorSchemaRoot root = Batches.longs(allocator);
                MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            encoder(pool, false).encode(ID, codec, Batches.longs(root, 3, 1_000), sink);
            frames = sink.toByteArray();
        }
        for (int length = 300; length < frames.length; length += 37) {
            byte[] cut = Arrays.copyOf(frames, length);
            try (ResultReader reader = ResultReader.builder(pool).open(ByteBuffer.wrap(cut))) {
                TruncatedResultException truncated = assertThrows(TruncatedResultException.class, () -> {
                    reader.nextResult();
                    try (ArrowReader batches = reader.decode(codec)) {
                        while (batches.loadNextBatch()) {
                            assertEquals(1_000, batches.getVectorSchemaRoot().getRowCount());
                        }
                    }
                    reader.finish();
                });
                assertTrue(truncated.offset() <= length, truncated.getMessage());
            }
            assertEquals(0, allocator.getAllocatedMemory());
        }
    }

    /** Heap that so many batches take, the least of some tries: the JVM allocates in this thread too, now and then. */
    private long taken(int batches, boolean arrows) throws IOException {
        long least = Long.MAX_VALUE;
        ChunkPool pool = audit.pool(CHUNK, 16L * CHUNK);
        ResultEncoder encoder = encoder(pool, false);
        try (VectorSchemaRoot root = Batches.longs(allocator)) {
            Batches.fillLongs(root, 0, ROWS);
            for (int i = 0; i < 7; i++) {
                int[] left = {batches};
                long before = THREADS.getCurrentThreadAllocatedBytes();
                if (arrows) {
                    try (ArrowStreamWriter writer = new ArrowStreamWriter(
                            root, new DictionaryProvider.MapDictionaryProvider(), new Nowhere())) {
                        while (left[0]-- > 0) {
                            writer.writeBatch();
                        }
                    }
                } else {
                    encoder.encode(ID, codec, ArrowCodecs.filled(root, into -> left[0]-- > 0), new Dropping());
                }
                least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
            }
        }
        return least;
    }

    @Test
    void heapBesideArrowsOwnIsLessThanAThousandthOfTheBytes() throws IOException {
        long arrows = taken(1_000, true) - taken(10, true);
        long ours = taken(1_000, false) - taken(10, false);
        long payload = 990L * (ROWS * Long.BYTES + ROWS / 8);
        assertTrue((ours - arrows) * 1_000 <= payload, ours + " bytes, of which Arrow's " + arrows);
        audit.figure((ours - arrows) / 990 + " bytes of heap a batch besides Arrow's own " + arrows / 990);
    }

    private static final class Nowhere implements java.nio.channels.WritableByteChannel {
        @Override
        public int write(ByteBuffer source) {
            int length = source.remaining();
            source.position(source.limit());
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    private static final class Dropping implements FrameSink {
        @Override
        public void write(FrameBatch batch) {
            // Takes all.
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }
}
