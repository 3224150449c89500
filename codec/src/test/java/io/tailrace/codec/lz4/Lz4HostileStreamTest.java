// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultListener;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams whose checksums hold and whose LZ4 blocks lie, and streams with one bit turned. */
class Lz4HostileStreamTest {

    static final Lz4Compression[] BOTH = Lz4CompressionTest.BOTH;

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final byte MARKER = (byte) 0xA5;
    private static final int CHUNK = 4 << 10;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** A dishonest sender: frames whatever block it was given, behind valid checksums. */
    private static final class Dishonest implements BlockCompression {
        private final byte[] block;

        Dishonest(byte[] block) {
            this.block = block;
        }

        @Override
        public int id() {
            return Lz4Compression.ID;
        }

        @Override
        public String implementation() {
            return "dishonest";
        }

        @Override
        public int maxCompressedLength(int rawLength) {
            return rawLength + 256;
        }

        @Override
        public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
            System.arraycopy(block, 0, dst, dstOff, block.length);
            return block.length;
        }

        @Override
        public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength) {
            throw new AssertionError("a sender expands nothing");
        }
    }

    /** What a receiver was told. */
    private static final class Told implements ResultListener {
        final ByteArrayOutputStream delivered = new ByteArrayOutputStream();
        ResultSummary summary;
        ResultException failure;
        int terminals;

        @Override
        public void onOpen(ResultId id, String codecId) {
            assertEquals(ID, id);
        }

        @Override
        public void onPayload(ByteBuf bytes) {
            delivered.write(bytes.array(), bytes.arrayOffset() + bytes.readerIndex(), bytes.readableBytes());
        }

        @Override
        public void onTrailer(ByteBuf bytes) {
            throw new AssertionError("no trailer was sent");
        }

        @Override
        public void onEnd(ResultSummary ended) {
            summary = ended;
            terminals++;
        }

        @Override
        public void onFailure(ResultId result, ResultException reason) {
            failure = reason;
            terminals++;
        }

        MalformedDataException malformed(String where) {
            assertNull(summary, where);
            assertEquals(1, terminals, where);
            return assertInstanceOf(MalformedDataException.class, failure, where);
        }
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void everyTurnedBitIsFound(Lz4Compression lz4) throws IOException {
        for (int chunkBytes : new int[] {512, CHUNK}) {
            byte[] raw = Samples.HALF.bytes(5_000, 11);
            byte[] stream = encode(lz4, raw, chunkBytes);
            assertTrue(WireFrames.data(stream).stream().anyMatch(WireFrames.Frame::compressed));
            try (ChunkPool pool = pool(chunkBytes)) {
                for (int bit = 0; bit < 8 * stream.length; bit++) {
                    stream[bit >> 3] ^= (byte) (1 << (bit & 7));
                    String where = lz4 + ", chunks of " + chunkBytes + ", bit " + bit;
                    Told told = decode(lz4, stream, pool, where);
                    stream[bit >> 3] ^= (byte) (1 << (bit & 7));
                    long offset = told.malformed(where).offset();
                    assertTrue(offset >= 0 && offset <= stream.length, where + ": offset " + offset);
                    byte[] delivered = told.delivered.toByteArray();
                    assertArrayEquals(Arrays.copyOf(raw, delivered.length), delivered, where);
                    assertEquals(0, pool.liveBytes(), where);
                }
                audit.figure(8 * stream.length + " turned bits found, chunks of " + chunkBytes);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, CHUNK - 31})
    void frameThatClaimsMoreThanAChunkIsRefusedBeforeAnyIsExpanded(int claimed) throws IOException {
        byte[] stream = encode(BOTH[0], Samples.HALF.bytes(3_000, 12), CHUNK);
        WireFrames.Frame frame = WireFrames.data(stream).get(0);
        WireFrames.claimRawLength(stream, frame, claimed);
        try (ChunkPool pool = pool(CHUNK)) {
            MalformedDataException told = decode(BOTH[0], stream, pool, "claim").malformed("claim");
            assertEquals(CHUNK - 32, told.limit());
            assertEquals(Integer.toUnsignedLong(claimed), told.actual());
            assertEquals(ID, told.resultId());
            assertEquals(frame.at(), told.offset());
            assertTrue(pool.peakLiveBytes() <= 2L * CHUNK, pool.peakLiveBytes() + " bytes");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1, -1_000, 900})
    void frameThatExpandsToLessOrMoreThanItClaimsIsRefused(int difference) throws IOException {
        for (Lz4Compression lz4 : BOTH) {
            byte[] stream = encode(lz4, Samples.HALF.bytes(3_000, 13), CHUNK);
            WireFrames.Frame frame = WireFrames.data(stream).get(0);
            WireFrames.claimRawLength(stream, frame, frame.rawLength() + difference);
            try (ChunkPool pool = pool(CHUNK)) {
                Told told = decode(lz4, stream, pool, lz4.toString());
                MalformedDataException malformed = told.malformed(lz4.toString());
                assertEquals(frame.rawLength() + difference, malformed.limit());
                assertEquals(0, told.delivered.size());
            }
        }
    }

    /** A block of 18 bytes that expands to a whole chunk is honest, and costs that chunk, not more. */
    @Test
    void bombOfOneChunkCostsOneChunk() throws IOException {
        byte[] raw = new byte[200 * (CHUNK - 200)];
        byte[] stream = encode(BOTH[0], raw, CHUNK);
        assertTrue(stream.length < raw.length / 20, stream.length + " bytes");
        try (ChunkPool pool = pool(CHUNK)) {
            Told told = decode(BOTH[0], stream, pool, "bomb");
            assertArrayEquals(raw, told.delivered.toByteArray());
            assertEquals(raw.length, told.summary.payloadBytes());
            assertTrue(pool.peakLiveBytes() <= 2L * CHUNK, pool.peakLiveBytes() + " bytes");
        }
    }

    /**
     * Crafted blocks behind valid checksums, into a pool full of the marker, until 1,000 have been refused. The few that
     * are blocks still, of other bytes, are the sender's own lie and show none of the pool's earlier content.
     */
    @ParameterizedTest
    @FieldSource("BOTH")
    void craftedBlocksShowNothingOfThePool(Lz4Compression lz4) throws IOException {
        int refused = 0;
        int seed = 0;
        for (; refused < 1_000; seed++) {
            byte[] block = Lz4CompressionTest.mutated(seed);
            byte[] raw = Samples.HALF.bytes(2_000, seed);
            if (block.length >= raw.length - raw.length / 16) {
                block = Arrays.copyOf(block, raw.length / 2); // a writer keeps what pays, so does this one
            }
            byte[] stream = encode(new Dishonest(block), raw, CHUNK);
            String where = lz4 + ", seed " + seed;
            Told first = decodeOver(MARKER, lz4, stream, where);
            Told second = decodeOver((byte) ~MARKER, lz4, stream, where);
            assertArrayEquals(first.delivered.toByteArray(), second.delivered.toByteArray(), where);
            if (first.failure != null) {
                assertEquals(ID, first.malformed(where).resultId());
                assertEquals(0, first.delivered.size(), where);
                refused++;
            }
        }
        audit.figure(seed + " crafted streams: " + refused + " refused");
    }

    @ParameterizedTest
    @FieldSource("BOTH")
    void matchIntoWhatTheChunkHeldBeforeIsRefused(Lz4Compression lz4) throws IOException {
        // One literal, then a match of 19 and more from 200 before it: nothing was written there.
        byte[] block = {0x1F, 'x', (byte) 200, 0, 60, 0x50, 'a', 'b', 'c', 'd', 'e'};
        byte[] stream = encode(new Dishonest(block), new byte[1 + 15 + 4 + 60 + 5], CHUNK);
        Told told = decodeOver(MARKER, lz4, stream, lz4.toString());
        told.malformed(lz4.toString());
        assertEquals(0, told.delivered.size());
    }

    private Told decodeOver(byte marker, Lz4Compression lz4, byte[] stream, String where) throws IOException {
        try (ChunkPool pool = pool(CHUNK)) {
            fill(pool, marker);
            long before = pool.peakLiveBytes();
            Told told = decode(lz4, stream, pool, where);
            assertEquals(before, pool.peakLiveBytes(), where);
            return told;
        }
    }

    /** Leaves two slabs in the pool, all of one byte: one for the body, one to expand into. */
    private static void fill(ChunkPool pool, byte marker) throws IOException {
        try (ChunkWindow window = pool.open("filling", 2, 2)) {
            List<Chunk> chunks = List.of(window.acquire(), window.acquire());
            for (Chunk chunk : chunks) {
                Arrays.fill(chunk.array(), marker);
                chunk.release();
            }
        }
    }

    private Told decode(Lz4Compression lz4, byte[] stream, ChunkPool pool, String where) throws IOException {
        Told told = new Told();
        ResultReader.Builder builder = ResultReader.builder(pool).window(2).compression(lz4);
        try (ResultDecoder decoder = builder.decoder(told, () -> {})) {
            try {
                assertTrue(decoder.accept(ByteBuffer.wrap(stream)), where);
                decoder.endOfInput();
            } catch (ResultException e) {
                // Thrown where the framing is lost; who has no open result hears of it only here.
                told.failure = told.failure == null ? e : told.failure;
                told.terminals = Math.max(told.terminals, 1);
            }
        }
        return told;
    }

    private byte[] encode(BlockCompression compression, byte[] raw, int chunkBytes) throws IOException {
        try (ChunkPool pool = pool(chunkBytes)) {
            ResultEncoder encoder =
                    ResultEncoder.builder(pool).compression(compression).build();
            MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                writer.payload().writeBytes(raw, 0, raw.length);
                writer.finish();
            }
            return sink.toByteArray();
        }
    }

    private ChunkPool pool(int chunkBytes) {
        return audit.pool(chunkBytes, 16L * chunkBytes);
    }
}
