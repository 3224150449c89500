// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compressed results from end to end, chunk to chunk. */
class Lz4ResultTest {

    private static final int CHUNK = 4 << 10;
    private static final ResultId ID = new ResultId("job", 1, 2, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    enum Mode {
        SYNCHRONOUS,
        THREADED
    }

    @ParameterizedTest
    @EnumSource
    void everySizeAroundTheEdgesComesBack(Mode mode) throws IOException {
        int largest = CHUNK - 32 - 72;
        int cases = 0;
        int[] edges = {0, 1, 63, 64, 65, 128, largest - 100, largest, CHUNK - 32, CHUNK, 2 * CHUNK, 5 * CHUNK};
        for (Samples kind : Samples.values()) {
            for (int edge : edges) {
                for (int size = Math.max(0, edge - 3); size <= edge + 3; size++) {
                    byte[] raw = kind.bytes(size, size);
                    assertArrayEquals(raw, roundTrip(raw, mode, false), kind + " of " + size);
                    assertArrayEquals(raw, roundTrip(raw, mode, true), kind + " of " + size + " out of band");
                    cases += 2;
                }
            }
        }
        audit.cases(cases);
    }

    @ParameterizedTest
    @EnumSource
    void incompressibleBytesAreSentRawWithTheFlagOff(Mode mode) throws IOException {
        byte[] stream = encode(Samples.RANDOM.bytes(50_000, 7), mode, false);
        List<WireFrames.Frame> data = WireFrames.data(stream);
        assertTrue(data.size() > 10);
        assertTrue(data.stream().noneMatch(WireFrames.Frame::compressed));
    }

    @ParameterizedTest
    @EnumSource
    void halfCompressibleBytesAreSentSmallerWithTheFlagOn(Mode mode) throws IOException {
        byte[] raw = Samples.HALF.bytes(50_000, 8);
        byte[] stream = encode(raw, mode, false);
        List<WireFrames.Frame> data = WireFrames.data(stream);
        assertTrue(data.stream().allMatch(WireFrames.Frame::compressed));
        assertTrue(data.stream().allMatch(frame -> frame.wireLength() < frame.rawLength()));
        assertEquals(
                raw.length, data.stream().mapToInt(WireFrames.Frame::rawLength).sum());
        assertTrue(stream.length < 0.9 * raw.length, stream.length + " bytes for " + raw.length);
    }

    @ParameterizedTest
    @EnumSource
    void bytesByReferenceAreCompressedToo(Mode mode) throws IOException {
        byte[] raw = Samples.HALF.bytes(50_000, 8);
        List<WireFrames.Frame> data = WireFrames.data(encode(raw, mode, true));
        assertTrue(data.stream().allMatch(WireFrames.Frame::compressed), data.toString());
        data = WireFrames.data(encode(Samples.RANDOM.bytes(50_000, 8), mode, true));
        assertTrue(data.stream().noneMatch(WireFrames.Frame::compressed), data.toString());
    }

    @Test
    void eachChunkIsJudgedByItself() throws IOException {
        byte[] raw = new byte[40_000];
        System.arraycopy(Samples.HALF.bytes(20_000, 9), 0, raw, 0, 20_000);
        System.arraycopy(Samples.RANDOM.bytes(20_000, 9), 0, raw, 20_000, 20_000);
        List<WireFrames.Frame> data = WireFrames.data(encode(raw, Mode.SYNCHRONOUS, false));
        assertTrue(data.get(0).compressed());
        assertFalse(data.get(data.size() - 1).compressed());
        assertArrayEquals(raw, roundTrip(raw, Mode.SYNCHRONOUS, false));
    }

    @ParameterizedTest
    @EnumSource
    void compressingHoldsTwoChunksAtMostBesidesWhatIsSent(Mode mode) throws IOException {
        try (ChunkPool pool = pool()) {
            int window = 2;
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .window(window)
                    .compression(Lz4Compression.fastest())
                    .sendingOn(mode == Mode.THREADED ? audit.executor() : null)
                    .build();
            MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                writer.payload().writeBytes(Samples.HALF.bytes(200_000, 10), 0, 200_000);
                ResultSummary summary = writer.finish();
                assertTrue(summary.compressorNanos() > 0);
            }
            assertEquals(2L * CHUNK, pool.peakLiveBytes());
        }
    }

    private byte[] roundTrip(byte[] raw, Mode mode, boolean outOfBand) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        encode(raw, mode, outOfBand, sink);
        try (ChunkPool pool = pool();
                ResultReader reader = ResultReader.builder(pool)
                        .compression(Lz4Compression.java())
                        .open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            WireInput in = reader.payload();
            byte[] back = in.readByteArray(raw.length);
            assertTrue(in.exhausted());
            assertEquals(raw.length, reader.finish().payloadBytes());
            return back;
        }
    }

    private byte[] encode(byte[] raw, Mode mode, boolean outOfBand) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        encode(raw, mode, outOfBand, sink);
        return sink.toByteArray();
    }

    private void encode(byte[] raw, Mode mode, boolean outOfBand, MemorySink sink) throws IOException {
        try (ChunkPool pool = pool()) {
            ResultEncoder encoder = ResultEncoder.builder(pool)
                    .compression(Lz4Compression.fastest())
                    .sendingOn(mode == Mode.THREADED ? audit.executor() : null)
                    .build();
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                if (outOfBand) {
                    writer.payload().writeOutOfBand(raw, 0, raw.length);
                } else {
                    writer.payload().writeBytes(raw, 0, raw.length);
                }
                writer.finish();
            }
        }
    }

    private ChunkPool pool() {
        return audit.pool(CHUNK, 16 * CHUNK);
    }
}
