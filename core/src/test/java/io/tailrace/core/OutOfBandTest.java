// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.SentFrame;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutOfBandTest {

    private static final int CHUNK = 512;
    private static final int CUT = CHUNK - 32;
    private static final ResultId ID = new ResultId("band", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder.Builder encoder(ChunkPool pool, int window, boolean threaded) {
        return ResultEncoder.builder(pool).window(window).sendingOn(threaded ? audit.executor() : null);
    }

    /** The kinds of source that the caller may have. */
    private enum Source {
        ARRAY,
        HEAP,
        DIRECT,
        READ_ONLY,
        READ_ONLY_DIRECT,
        SLICED,
        SLICED_DIRECT;

        void write(byte[] bytes, WireOutput out) throws IOException {
            ByteBuffer buffer = buffer(bytes);
            if (buffer == null) {
                byte[] within = new byte[bytes.length + 5];
                System.arraycopy(bytes, 0, within, 3, bytes.length);
                out.writeOutOfBand(within, 3, bytes.length);
                return;
            }
            out.writeOutOfBand(buffer);
            assertFalse(buffer.hasRemaining(), "the position advances to the limit");
        }

        private ByteBuffer buffer(byte[] bytes) {
            return switch (this) {
                case ARRAY -> null;
                case HEAP -> ByteBuffer.wrap(bytes);
                case DIRECT ->
                    ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
                case READ_ONLY -> ByteBuffer.wrap(bytes).asReadOnlyBuffer();
                case READ_ONLY_DIRECT ->
                    ByteBuffer.allocateDirect(bytes.length).put(bytes).flip().asReadOnlyBuffer();
                case SLICED -> sliced(ByteBuffer.allocate(bytes.length + 9), bytes);
                case SLICED_DIRECT -> sliced(ByteBuffer.allocateDirect(bytes.length + 9), bytes);
            };
        }

        private static ByteBuffer sliced(ByteBuffer room, byte[] bytes) {
            room.position(4).limit(4 + bytes.length);
            room.slice().put(bytes);
            return room.slice();
        }
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everySourceOfEverySizeArrivesAsItWas(boolean threaded) throws IOException {
        List<Integer> sizes = new ArrayList<>(List.of(0, 1, CHUNK / 2 - 1, CHUNK / 2, CHUNK / 2 + 1));
        for (int n : new int[] {1, 2, 3, 7, 100}) {
            for (int off = -1; off <= 1; off++) {
                sizes.add(n * CUT + off);
                sizes.add(n * CHUNK + off);
            }
        }
        int cases = 0;
        for (int window : new int[] {1, 2, 4}) {
            ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
            ResultEncoder encoder = encoder(pool, window, threaded).build();
            for (Source source : Source.values()) {
                for (int size : sizes) {
                    arrives(source, size, encoder, pool);
                    cases++;
                }
            }
            assertTrue(pool.peakLiveBytes() <= (long) window * CHUNK, window + " chunks, was " + pool.peakLiveBytes());
        }
        audit.cases(cases);
    }

    private void arrives(Source source, int size, ResultEncoder encoder, ChunkPool pool) throws IOException {
        byte[] bytes = random(size, size);
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        // Read by the real sinks, in which a direct body takes a way of its own.
        try (MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                WireOutput out = writer.payload();
                for (int i = 0; i < 2; i++) {
                    out.writeLong(size);
                    expected.write(new byte[] {(byte) size, (byte) (size >> 8), (byte) (size >> 16), 0, 0, 0, 0, 0});
                    source.write(bytes, out);
                    expected.write(bytes);
                }
                source.write(bytes, out);
                expected.write(bytes);
                assertEquals(expected.size(), out.written());
                writer.trailer().writeInt(size);
                writer.finish();
            }
            assertEquals(0, pool.liveBytes(), pool.report());
            List<Received> results = Received.all(pool, sink.toByteArray());
            assertEquals(1, results.size());
            assertTrue(results.get(0).complete(), source + " of " + size + ": " + results.get(0));
            assertArrayEquals(expected.toByteArray(), results.get(0).payload(), source + " of " + size);
            assertEquals(4, results.get(0).trailer().length);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void eachCutIsChargedAsOneChunkUntilItIsSent(boolean threaded) throws Exception {
        int window = 5;
        ChunkPool pool = audit.pool(CHUNK, 64 * CHUNK);
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
            }
        });
        byte[] big = random(1, 100 * CUT);
        ResultEncoder encoder = encoder(pool, window, threaded).build();
        Future<ResultSummary> encoding = audit.executor().submit(() -> {
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                writer.payload().writeOutOfBand(big, 0, big.length);
                return writer.finish();
            }
        });
        stuck.await();
        LockSupport.parkNanos(50_000_000);
        assertEquals((long) window * CHUNK, pool.liveBytes(), "the window is full of references");
        freed.countDown();
        assertEquals(big.length, encoding.get().payloadBytes());
        assertEquals((long) window * CHUNK, pool.peakLiveBytes());
        assertArrayEquals(big, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cutsAreGatheredInWritesOfAtMostOneMebibyte(boolean threaded) throws IOException {
        int chunk = 64 << 10;
        ChunkPool pool = audit.pool(chunk, 64L * chunk);
        RecordingSink sink = new RecordingSink((number, bytes, taken) -> {
            if (threaded) {
                LockSupport.parkNanos(1_000_000); // so that the encoder runs ahead
            }
        });
        byte[] big = random(2, 5 << 20);
        try (ResultWriter writer = encoder(pool, 40, threaded).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(big, 0, big.length);
            writer.finish();
        }
        long largest = sink.writes().stream().mapToLong(Long::longValue).max().orElseThrow();
        assertTrue(largest <= FrameBatch.MAX_GATHERED, largest + " bytes in one write");
        assertTrue(largest > FrameBatch.MAX_GATHERED - chunk, largest + " bytes: a write could have been larger");
        assertTrue(sink.writes().size() <= 12, sink.writes().toString());
        assertArrayEquals(big, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @Test
    void chunkLargerThanOneGatheringGoesAlone() throws IOException {
        int chunk = 3 << 20;
        ChunkPool pool = audit.pool(chunk, 4L * chunk);
        RecordingSink sink = new RecordingSink();
        byte[] big = random(3, 10 << 20);
        try (ResultWriter writer = encoder(pool, 3, false).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(big, 0, big.length);
            writer.finish();
        }
        assertTrue(
                sink.writes().stream().allMatch(bytes -> bytes <= chunk),
                sink.writes().toString());
        assertArrayEquals(big, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @Test
    void smallRunIsCopiedAndTheSourceFreeAtOnce() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        byte[] small = random(4, CHUNK / 2 - 1);
        byte[] before = small.clone();
        try (ResultWriter writer = encoder(pool, 2, false).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(small, 0, small.length);
            small[0]++;
            writer.finish();
        }
        assertArrayEquals(before, Received.all(pool, sink.toByteArray()).get(0).payload());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void trailerNeverGoesOutOfBand(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        byte[] big = random(5, 5_000);
        try (ResultWriter writer = encoder(pool, 2, threaded).build().open(ID, "bytes/1", sink)) {
            writer.trailer().writeOutOfBand(big, 0, big.length);
            big[0]++;
            writer.finish();
        }
        big[0]--;
        Received result = Received.all(pool, sink.toByteArray()).get(0);
        assertArrayEquals(big, result.trailer());
        assertEquals(0, result.payload().length);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fullCutsAreCompressedWhereItPaysAndReferencedWhereNot(boolean threaded) throws IOException {
        PackBits blocks = new PackBits();
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        byte[] zeros = new byte[100 * CUT];
        byte[] noise = random(6, 100 * CUT);
        ResultEncoder encoder = encoder(pool, 4, threaded).compression(blocks).build();
        ResultSummary summary;
        try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(zeros, 0, zeros.length);
            writer.payload().writeOutOfBand(noise, 0, noise.length);
            writer.payload().writeOutOfBand(ByteBuffer.wrap(zeros).asReadOnlyBuffer());
            summary = writer.finish();
        }
        List<SentFrame> data = sink.frames().stream()
                .filter(frame -> frame.kind() == SentFrame.DATA)
                .toList();
        long compressed = data.stream()
                .filter(SentFrame::compressed)
                .mapToLong(SentFrame::rawLength)
                .sum();
        assertTrue(compressed >= zeros.length - CUT, compressed + " of " + zeros.length + " bytes were compressed");
        assertTrue(summary.compressorNanos() > 0);
        long peak = pool.peakLiveBytes(); // before the reader takes its own
        byte[] received = Received.all(pool, sink.toByteArray(), blocks).get(0).payload();
        assertEquals(3 * zeros.length, received.length);
        assertArrayEquals(noise, Arrays.copyOfRange(received, zeros.length, 2 * zeros.length));
        assertTrue(peak <= 4L * CHUNK, "a window of 4, was " + peak);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sourceIsLetGoWhenItIsSent(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        RecordingSink sink = new RecordingSink();
        try (ResultWriter writer = encoder(pool, 4, threaded).build().open(ID, "bytes/1", sink)) {
            List<WeakReference<byte[]>> sources = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                sources.add(writeAndForget(writer.payload()));
                writer.payload().writeLong(i);
            }
            // What comes behind the last source makes sure that it has been sent.
            writer.payload().writeBytes(new byte[10 * CHUNK], 0, 10 * CHUNK);
            for (WeakReference<byte[]> source : sources) {
                for (int i = 0; i < 200 && source.get() != null; i++) {
                    System.gc();
                    LockSupport.parkNanos(5_000_000);
                }
                assertNull(source.get(), "the writer keeps a source alive that is sent");
            }
            writer.finish();
        }
    }

    private static WeakReference<byte[]> writeAndForget(WireOutput out) throws IOException {
        byte[] big = random(7, 20 * CUT);
        out.writeOutOfBand(big, 0, big.length);
        return new WeakReference<>(big);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sinkThatFailsAtAnyCutLeavesNothingBehind(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        byte[] big = random(8, 30 * CUT);
        for (int k = 0; k < 31; k++) {
            int at = k;
            RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
                if (chunk == at) {
                    throw new IOException("cut");
                }
            });
            assertThrows(ResultFailedException.class, () -> {
                try (ResultWriter writer = encoder(pool, 3, threaded).build().open(ID, "bytes/1", sink)) {
                    writer.payload().writeOutOfBand(big, 0, big.length);
                    writer.finish();
                }
            });
            audit.requireWhole();
            assertEquals(0, sink.writesAfterFailure());
        }
        audit.cases(31);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anyMixOfWritesArrivesInOrder(boolean threaded) throws IOException {
        SplittableRandom random = new SplittableRandom(audit.seed());
        ChunkPool pool = audit.pool(CHUNK, 6 * CHUNK);
        int rounds = LeakAudit.FULL ? 50_000 : 500;
        for (int round = 0; round < rounds; round++) {
            int window = 2 + random.nextInt(4);
            PackBits blocks = random.nextBoolean() ? new PackBits() : null;
            ByteArrayOutputStream expected = new ByteArrayOutputStream();
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            ResultEncoder encoder =
                    encoder(pool, window, threaded).compression(blocks).build();
            try (ResultWriter writer = encoder.open(ID, "mix/1", sink)) {
                for (int i = random.nextInt(20); i > 0; i--) {
                    byte[] bytes = random.nextBoolean()
                            ? new byte[random.nextInt(1_500)]
                            : random(random.nextLong(), random.nextInt(1_500));
                    expected.write(bytes);
                    if (random.nextBoolean()) {
                        Source.values()[random.nextInt(Source.values().length)].write(bytes, writer.payload());
                    } else {
                        writer.payload().writeBytes(bytes, 0, bytes.length);
                    }
                }
                writer.finish();
            }
            Received result = Received.all(pool, sink.toByteArray(), blocks).get(0);
            assertTrue(result.complete(), "round " + round + ": " + result.failure());
            assertArrayEquals(expected.toByteArray(), result.payload(), "round " + round);
            audit.requireWhole();
        }
        audit.cases(rounds);
    }

    @Test
    void chunkOfACutHoldsItsHeaderAndTheCallersOwnArray() throws IOException {
        assertEquals(
                List.of(
                        "32+480 of the same array: true at 0",
                        "32+480 of the same array: true at 480",
                        "32+480 of the same array: true at 960"),
                cuts(0, 3 * CUT));
    }

    /** A receiver packs frames into chunks: the first cut leaves room for what is in front of it, but not for half a chunk. */
    @Test
    void cutBehindAShortFrameSharesAChunkWithIt() throws IOException {
        assertEquals(
                List.of(
                        "32+440 of the same array: true at 0",
                        "32+480 of the same array: true at 440",
                        "32+480 of the same array: true at 920"),
                cuts(8, 3 * CUT - 40));
        assertEquals(
                "32+256 of the same array: true at 0", cuts(CHUNK / 2 - 64, CUT).get(0));
        assertEquals(
                "32+480 of the same array: true at 0", cuts(CHUNK / 2 - 63, CUT).get(0));
    }

    /** What each carrier of a result has, of which an array of its caller's is written behind so many bytes. */
    private List<String> cuts(int before, int length) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        byte[] big = random(9, length);
        List<String> seen = new ArrayList<>();
        FrameSink sink = new FrameSink() {
            @Override
            public void write(FrameBatch batch) {
                for (int i = 0; i < batch.size(); i++) {
                    Chunk chunk = batch.get(i);
                    ByteBuffer body = chunk.body();
                    if (body != null) {
                        seen.add(chunk.readableBytes() + "+" + body.remaining() + " of the same array: "
                                + (body.array() == big) + " at " + (body.arrayOffset() + body.position()));
                    }
                }
            }

            @Override
            public void close() {}
        };
        try (ResultWriter writer = encoder(pool, 8, false).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeBytes(new byte[before], 0, before);
            writer.payload().writeOutOfBand(big, 0, big.length);
            writer.finish();
        }
        return seen;
    }
}
