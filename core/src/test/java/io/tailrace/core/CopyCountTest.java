// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.sink.StreamSink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How often a payload byte is copied between the codec's write and the sink, and between a channel and its reader. */
class CopyCountTest {

    private static final int CHUNK = 64 << 10;
    private static final ResultId ID = new ResultId("copies", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** A run of bytes by where it lies, not by what it is. */
    @SuppressWarnings("ArrayRecordComponent") // compared by identity, never as records
    private record Place(byte[] array, int from, int to) {

        boolean within(Place other) {
            return array == other.array && from >= other.from && to <= other.to;
        }
    }

    /** Remembers the places of what is written to it. */
    private static final class Places extends OutputStream {
        private final List<Place> written = new ArrayList<>();

        @Override
        public void write(int b) throws IOException {
            throw new IOException("a single byte comes from nowhere");
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            written.add(new Place(bytes, from, from + length));
        }
    }

    private ResultEncoder.Builder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool).window(4).sendingOn(threaded ? audit.executor() : null);
    }

    /** Bytes of {@code sources} that reached the stream from where they lay. */
    private static long uncopied(List<Place> sources, List<Place> written) {
        long bytes = 0;
        for (Place source : sources) {
            if (written.stream().anyMatch(source::within)) {
                bytes += source.to() - source.from();
            }
        }
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatACodecWritesInPlaceReachesTheStreamFromThere(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        List<Place> regions = new ArrayList<>();
        long payload = 10L * CHUNK + 12_345;
        try (ResultWriter writer = encoder(pool, threaded)
                .build()
                .open(ID, "fill/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            WireOutput out = writer.payload();
            while (out.written() < payload) {
                out.ensure(1);
                int from = out.offset();
                int to = (int) Math.min(out.limit(), from + payload - out.written());
                out.commit(to);
                regions.add(new Place(out.array(), from, to));
            }
            assertEquals(payload, writer.finish().payloadBytes());
        }
        long uncopied = uncopied(regions, stream.written);
        assertEquals(payload, uncopied);
        audit.figure("in band, " + uncopied + " of " + payload + " bytes reached the stream from where they were"
                + " written: 0 copies");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenByValueIsInItsFrameAtOnceAndReachesTheStreamFromThere(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        List<Place> values = new ArrayList<>();
        long[] longs = new long[20];
        long payload;
        try (ResultWriter writer = encoder(pool, threaded)
                .build()
                .open(ID, "longs/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            WireOutput out = writer.payload();
            for (int i = 0; i < 20_000; i++) {
                out.writeLong(~(long) i);
                values.add(written(out, ~(long) i, Long.BYTES));
                out.writeInt(i);
                values.add(written(out, i, Integer.BYTES));
                longs[longs.length - 1] = i;
                out.writeLongs(longs, 0, longs.length);
                values.add(written(out, i, Long.BYTES));
            }
            payload = writer.finish().payloadBytes();
        }
        assertEquals(20_000L * (8 + 4 + 160), payload);
        long uncopied = uncopied(values, stream.written);
        assertEquals(20_000L * (8 + 4 + 8), uncopied);
        audit.figure("by value, " + uncopied + " of " + uncopied + " bytes were in their frame when the write returned,"
                + " and reached the stream from there: 0 copies");
    }

    /** The place of what was written last, which holds it already. */
    private static Place written(WireOutput out, long expected, int length) {
        int to = out.offset();
        long found = 0;
        for (int i = 1; i <= length; i++) {
            found = found << 8 | (out.array()[to - i] & 0xFF);
        }
        assertEquals(
                length == Integer.BYTES ? (int) expected : expected, length == Integer.BYTES ? (int) found : found);
        return new Place(out.array(), to - length, to);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void directBufferReachesAStreamThroughItsCarriersOwnSlab(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        int length = 5 * (CHUNK - 32);
        try (ResultWriter writer = encoder(pool, threaded)
                .build()
                .open(ID, "bytes/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            writer.payload().writeOutOfBand(ByteBuffer.allocateDirect(length));
            writer.finish();
        }
        List<Place> bodies = stream.written.stream()
                .filter(place -> place.to() - place.from() > 1_000)
                .toList();
        assertEquals(length, bytes(bodies));
        assertTrue(bodies.stream().allMatch(place -> place.array().length == CHUNK), "slabs of the pool");
        assertTrue(distinct(bodies) <= 4, distinct(bodies) + " slabs for a window of 4");
        audit.figure("a direct buffer, " + length + " bytes reached the stream through slabs: 1 copy");
    }

    private static long bytes(List<Place> places) {
        return places.stream().mapToLong(place -> place.to() - place.from()).sum();
    }

    private static int distinct(List<Place> places) {
        Set<byte[]> arrays = Collections.newSetFromMap(new IdentityHashMap<>());
        places.forEach(place -> arrays.add(place.array()));
        return arrays.size();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatArrivesIsCopiedOnceIntoAChunkAndReadFromThere(boolean ahead) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        int length = 5 * CHUNK;
        try (ResultWriter writer = encoder(pool, false).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeBytes(new byte[length], 0, length);
            writer.finish();
        }
        List<Place> regions = new ArrayList<>();
        try (ResultReader reader = ResultReader.builder(pool)
                .window(2)
                .readingOn(ahead ? audit.executor() : null)
                .open(ahead ? sink.openChannel() : new DirectOnly(sink.openChannel()))) {
            reader.nextResult();
            WireInput in = reader.payload();
            while (!in.exhausted()) {
                regions.add(new Place(in.array(), in.offset(), in.limit()));
                in.commit(in.limit());
            }
            reader.finish();
        }
        assertEquals(length, bytes(regions));
        assertTrue(regions.stream().allMatch(place -> place.array().length == CHUNK), "slabs of the pool");
        assertTrue(distinct(regions) <= 4 + 2, "slabs of the pool, used again: " + distinct(regions));
        audit.figure("arriving, " + length + " bytes were read from the chunks of their frames, which a "
                + (ahead ? "chunk read ahead" : "direct gulp") + " filled: 1 copy");
    }

    /** Asks for direct memory to read into: the JDK copies once more into any other. */
    private record DirectOnly(ReadableByteChannel from) implements ReadableByteChannel {
        @Override
        public int read(ByteBuffer into) throws IOException {
            assertTrue(into.isDirect());
            return from.read(into);
        }

        @Override
        public boolean isOpen() {
            return from.isOpen();
        }

        @Override
        public void close() throws IOException {
            from.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void callersOwnArrayReachesTheStream(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        byte[] big = new byte[10 * CHUNK + 12_345];
        new Random(1).nextBytes(big);
        try (ResultWriter writer = encoder(pool, threaded)
                .build()
                .open(ID, "bytes/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            writer.payload().writeOutOfBand(big, 0, big.length);
            writer.finish();
        }
        long own = stream.written.stream()
                .filter(place -> place.array() == big)
                .mapToLong(place -> place.to() - place.from())
                .sum();
        int rest = big.length % (CHUNK - 32); // under half a chunk: copied into one that is written anyway
        assertTrue(rest < CHUNK / 2);
        assertEquals(big.length - rest, own);
        audit.figure("out of band, " + own + " of " + big.length + " bytes reached the stream from the caller's array:"
                + " 0 copies");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bufferOfTheCallersReachesAGatheringSink(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        ByteBuffer big = ByteBuffer.allocateDirect(5 * CHUNK);
        List<Integer> bodies = new ArrayList<>();
        FrameSink sink = new FrameSink() {
            @Override
            public void write(FrameBatch batch) {
                for (int i = 0; i < batch.size(); i++) {
                    ByteBuffer body = batch.get(i).body();
                    if (body != null && body.isDirect()) {
                        bodies.add(body.remaining());
                        body.put(body.position(), (byte) 1); // seen in the caller's buffer: no copy
                    }
                }
            }

            @Override
            public void close() {}
        };
        try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "bytes/1", sink)) {
            writer.payload().writeOutOfBand(big);
            writer.finish();
        }
        assertEquals(
                5 * (CHUNK - 32), bodies.stream().mapToInt(Integer::intValue).sum());
        int at = 0;
        for (int body : bodies) {
            assertEquals(1, big.get(at));
            at += body;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whereCompressionPaysOnlyItsOutcomeReachesTheStream(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        int payload = 10 * CHUNK;
        ResultSummary summary;
        try (ResultWriter writer = encoder(pool, threaded)
                .compression(new PackBits())
                .build()
                .open(ID, "zeros/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            writer.payload().writeBytes(new byte[payload], 0, payload);
            summary = writer.finish();
        }
        long written = stream.written.stream()
                .mapToLong(place -> place.to() - place.from())
                .sum();
        assertEquals(summary.wireBytes() + 16, written, "the preamble and the frames, nothing else");
        assertTrue(written < payload / 20, written + " bytes for " + payload);
    }
}
