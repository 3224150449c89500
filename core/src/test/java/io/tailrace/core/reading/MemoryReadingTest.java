// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Frames that are in memory already are read where they are, and told as if they had come through a channel. */
final class MemoryReadingTest {

    private static final int BEFORE = 13;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool;
    private Map<String, byte[]> streams;

    @BeforeEach
    void encode() throws IOException {
        ChunkPool writing = audit.pool(Streams.CHUNK, 16 * Streams.CHUNK);
        streams = Streams.all(writing);
        pool = audit.pool(Streams.CHUNK, 4 * Streams.CHUNK);
    }

    @Test
    void anArrayIsReadWhereItIsWithoutAChunk() throws IOException {
        byte[] stream = streams.get("many frames");
        byte[] array = surrounded(stream);
        ByteBuffer memory = ByteBuffer.wrap(array, BEFORE, stream.length);
        int frames = 0;
        try (ResultReader reader = ResultReader.builder(pool).open(memory)) {
            assertTrue(reader.nextResult());
            WireInput in = reader.payload();
            while (!in.exhausted()) {
                assertSame(array, in.array());
                in.commit(in.limit());
                frames++;
            }
            assertEquals(0, reader.finish().peakLiveBytes());
        }
        assertTrue(frames > 3, frames + " frames");
        assertEquals(0, pool.peakLiveBytes());
        assertEquals(BEFORE, memory.position());
        assertEquals(BEFORE + stream.length, memory.limit());
        assertArrayEquals(stream, Arrays.copyOfRange(array, BEFORE, BEFORE + stream.length));
    }

    @Test
    void whatHasNoArrayGoesThroughOneChunk() throws IOException {
        byte[] stream = streams.get("many frames");
        ByteBuffer direct = ByteBuffer.allocateDirect(stream.length).put(stream).flip();
        List<String> expected = outlines(stream);
        assertEquals(expected, Reading.outlines(reading().pull(direct)));
        assertEquals(
                expected,
                Reading.outlines(reading().pull(ByteBuffer.wrap(stream).asReadOnlyBuffer())));
        assertEquals(Streams.CHUNK, pool.peakLiveBytes());
    }

    @Test
    void everyStreamIsToldAsOutOfAChannel() throws IOException {
        long cases = 0;
        for (byte[] stream : streams.values()) {
            requireSame(stream);
            cases++;
        }
        audit.cases(cases);
    }

    @Test
    void truncatedAndDamagedStreamsAreToldAsOutOfAChannel() throws IOException {
        Random random = audit.random();
        int cases = 0;
        for (byte[] stream : streams.values()) {
            for (int i = 0; i < (LeakAudit.FULL ? 10_000 : 150); i++) {
                byte[] broken = Arrays.copyOf(stream, 1 + random.nextInt(stream.length));
                requireSame(broken);
                broken = stream.clone();
                broken[random.nextInt(broken.length)] ^= (byte) (1 << random.nextInt(8));
                requireSame(broken);
                cases += 2;
            }
        }
        audit.cases(cases);
    }

    private void requireSame(byte[] stream) throws IOException {
        assertEquals(
                outlines(stream),
                Reading.outlines(reading().pull(ByteBuffer.wrap(surrounded(stream), BEFORE, stream.length))));
    }

    private List<String> outlines(byte[] stream) throws IOException {
        return Reading.outlines(reading().pull(stream, Cuts.none()));
    }

    private Reading reading() {
        return Reading.of(pool);
    }

    /** As a part of an array that has other bytes in front and behind. */
    private static byte[] surrounded(byte[] stream) {
        byte[] array = new byte[BEFORE + stream.length + BEFORE];
        Arrays.fill(array, Streams.STALE);
        System.arraycopy(stream, 0, array, BEFORE, stream.length);
        return array;
    }
}
