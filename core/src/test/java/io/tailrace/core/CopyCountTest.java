// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.StreamSink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How often a payload byte is copied between the codec's write and the sink: 0 times, in band and out of band. */
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
    void whatIsWrittenByValueIsNeverCopiedAgain(boolean threaded) throws IOException {
        // Every primitive goes into the region and nowhere else: as many bytes leave the regions as were written.
        ChunkPool pool = audit.pool(CHUNK, 8L * CHUNK);
        Places stream = new Places();
        List<byte[]> slabs = new ArrayList<>();
        long payload;
        try (ResultWriter writer = encoder(pool, threaded)
                .build()
                .open(ID, "longs/1", new StreamSink(stream, FrameBatch.Purpose.CONNECTION))) {
            WireOutput out = writer.payload();
            for (int i = 0; i < 50_000; i++) {
                out.writeLong(i);
                out.writeVarInt(i);
                out.writeUtf8("\u00e4 text");
                byte[] slab = out.array();
                if (slabs.stream().noneMatch(known -> known == slab)) {
                    slabs.add(slab);
                }
            }
            payload = writer.finish().payloadBytes();
        }
        long fromSlabs = stream.written.stream()
                .filter(place -> slabs.stream().anyMatch(slab -> slab == place.array()))
                .mapToLong(place -> place.to() - place.from())
                .sum();
        assertTrue(fromSlabs >= payload, fromSlabs + " of " + payload);
        assertTrue(slabs.size() <= 4, slabs.size() + " slabs for a window of 4");
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
        int rest = big.length % (CHUNK - 32); // under a quarter of a chunk: copied into one that is written anyway
        assertTrue(rest < CHUNK / 4);
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
