// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NaiveLz4;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Blocks that claim too much, yield too little or too much, or reach for what was in memory before. */
final class CompressionBombTest {

    private static final int CHUNK = 4096;
    private static final int LARGEST = CHUNK - 32;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void craftedBlocksShowNothingStaleAndTakeNoMoreThanTwoChunks() throws IOException {
        ChunkPool pool = stalePool(2); // the reader gets these two before any fresh one
        Reading reading = Reading.of(pool);
        Random random = audit.random();
        int cases = LeakAudit.FULL ? 100_000 : 3_000;
        int refused = 0;
        for (int i = 0; i < cases; i++) {
            FrameBytes stream = FrameBytes.connection().chunkSize(CHUNK).compression(1);
            stream.open();
            crafted(stream, random);
            stream.end();
            stream.identity("next", 1, i, 0).whole(new byte[] {1, 2, 3}, new byte[0]);
            byte[] bytes = stream.toBytes();
            Recording recording = new StaleWatch();
            reading.push(bytes, Cuts.none(), recording);
            List<Reported> reports = recording.reports();
            assertEquals(Reading.outlines(ReferenceDecoder.decode(bytes, CHUNK)), Reading.outlines(reports));
            assertEquals(Terminal.END, reports.get(1).terminal(), "the next result");
            refused += reports.get(0).terminal() == Terminal.MALFORMED ? 1 : 0;
        }
        assertEquals(2 * CHUNK, pool.peakLiveBytes(), "one chunk for the wire, one to expand into, of a window of 3");
        assertTrue(refused > cases / 2, refused + " refused");
        audit.cases(cases);
        audit.figure(refused + " refused");
    }

    /** One DATA frame whose block is good, or differs from a good one by a little. */
    private static void crafted(FrameBytes stream, Random random) {
        int length = 20 + random.nextInt(LARGEST - 20);
        byte[] block = NaiveLz4.run(random.nextInt(100), length);
        switch (random.nextInt(7)) {
            case 0 -> stream.compressed(2, block, length);
            case 1 -> stream.compressed(2, block, length - 1 - random.nextInt(Math.min(10, length - block.length)));
            case 2 -> stream.compressed(2, block, Math.min(LARGEST, length + 1 + random.nextInt(10)));
            case 3 -> stream.compressed(2, block, (int) LENGTHS[random.nextInt(LENGTHS.length)]);
            case 4 -> { // the match begins before the block: where earlier bytes of the chunk would be
                block[2] = (byte) random.nextInt(256);
                block[3] = (byte) random.nextInt(256);
                stream.compressed(2, block, length);
            }
            case 5 -> {
                block[random.nextInt(block.length)] = (byte) random.nextInt(100);
                stream.compressed(2, block, length);
            }
            default -> stream.compressed(2, Arrays.copyOf(block, 1 + random.nextInt(block.length)), length);
        }
    }

    private static final long[] LENGTHS = {1 << 30, Integer.MAX_VALUE, -1, LARGEST, LARGEST + 1, CHUNK, 1 << 16};

    @Test
    void blockThatExpandsToTheLargestFrameIsRead() throws IOException {
        ChunkPool pool = stalePool(8);
        byte[] bytes = FrameBytes.connection()
                .chunkSize(CHUNK)
                .compression(1)
                .open()
                .compressed(2, NaiveLz4.run(9, LARGEST), LARGEST)
                .compressed(2, NaiveLz4.run(9, 14 + 6), 14 + 6)
                .end()
                .toBytes();
        Recording recording = new StaleWatch();
        Reading.of(pool).push(bytes, Cuts.bytes(bytes.length), recording);
        assertEquals(
                Terminal.END,
                recording.reports().get(0).terminal(),
                () -> recording.reports().toString());
        assertEquals(LARGEST + 20, recording.reports().get(0).payload().length);
    }

    @Test
    void payloadLimitStopsAnHonestBombBeforeItExpands() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        FrameBytes stream =
                FrameBytes.connection().chunkSize(CHUNK).compression(1).open();
        for (int i = 0; i < 1_000; i++) {
            stream.compressed(2, NaiveLz4.run(9, LARGEST), LARGEST);
        }
        byte[] bytes = stream.end().toBytes();
        Expansions expansions = new Expansions();
        Recording recording = new Recording();
        Reading.of(pool)
                .compression(expansions)
                .limits(DecoderLimits.DEFAULT.withPayloadBytes(10 * LARGEST + 5))
                .push(bytes, Cuts.none(), recording);
        assertTrue(recording.failures().get(0) instanceof ResultTooLargeException);
        assertEquals(10, expansions.calls);
        assertEquals(10 * LARGEST, recording.reports().get(0).payload().length);
    }

    @Test
    void decompressorThatThrowsFailsItsResultAlone() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        List<Exception> thrown = new ArrayList<>(List.of(
                new MalformedDataException("no block at all", 17),
                new ArrayIndexOutOfBoundsException("beyond the block"),
                new IllegalStateException()));
        for (Exception each : thrown) {
            FrameBytes stream = FrameBytes.connection().chunkSize(CHUNK).compression(1);
            stream.open().compressed(2, NaiveLz4.run(9, 100), 100).end();
            int end = stream.toBytes().length;
            stream.whole(new byte[10], new byte[0]);
            Expansions throwing = new Expansions();
            throwing.thrown = each;
            Recording recording = new Recording();
            Reading.of(pool).compression(throwing).push(stream.toBytes(), Cuts.none(), recording);
            assertEquals(
                    List.of(Terminal.MALFORMED, Terminal.END),
                    recording.reports().stream().map(Reported::terminal).toList());
            assertTrue(recording.failures().get(0).offset() < end);
            assertEquals(each, recording.failures().get(0).getCause());
        }
    }

    @Test
    void pulledResultThatDoesNotExpandIsSkippedToo() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        FrameBytes stream = FrameBytes.connection().chunkSize(CHUNK).compression(1);
        stream.open().data("good").compressed(2, NaiveLz4.run(9, 100), 99).end();
        stream.whole(new byte[10], new byte[0]);
        List<Reported> reports = Reading.of(pool).window(2).pull(stream.toBytes(), Cuts.none());
        assertEquals(
                List.of(Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList());
        assertEquals(4, reports.get(0).payload().length);
    }

    @Test
    void windowBelowTheReserveOfTwoIsRefused() {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultReader.Builder builder = Reading.of(pool).window(1).builder();
        assertNotNull(org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class, () -> builder.decoder(new Recording(), () -> {})));
    }

    /** A pool of 8 chunks, of which so many have been made, and been full of stale bytes. */
    private ChunkPool stalePool(int stale) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        List<Chunk> chunks = new ArrayList<>();
        try (ChunkWindow window = pool.open("stale bytes", stale, 0)) {
            for (int i = 0; i < stale; i++) {
                Chunk chunk = window.acquire();
                Arrays.fill(chunk.array(), Streams.STALE);
                chunks.add(chunk);
            }
            chunks.forEach(Chunk::release);
        }
        return pool;
    }

    /** Fails when it is shown a byte that none of these payloads has. */
    private static final class StaleWatch extends Recording {
        @Override
        public void onPayload(ByteBuf bytes) throws IOException {
            assertFalse(bytes.indexOf(bytes.readerIndex(), bytes.writerIndex(), Streams.STALE) >= 0, "stale bytes");
            super.onPayload(bytes);
        }
    }

    private static final class Expansions implements BlockCompression {
        private final NaiveBlocks blocks = new NaiveBlocks();
        private Exception thrown;
        private int calls;

        @Override
        public int id() {
            return blocks.id();
        }

        @Override
        public String implementation() {
            return "counting";
        }

        @Override
        public int maxCompressedLength(int rawLength) {
            return blocks.maxCompressedLength(rawLength);
        }

        @Override
        public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
            return blocks.compress(src, srcOff, length, dst, dstOff);
        }

        @Override
        public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
                throws MalformedDataException {
            calls++;
            if (thrown instanceof MalformedDataException malformed) {
                throw malformed;
            }
            if (thrown instanceof RuntimeException other) {
                throw other;
            }
            blocks.expand(src, srcOff, length, dst, dstOff, rawLength);
        }
    }
}
