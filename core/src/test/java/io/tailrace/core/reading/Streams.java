// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Streams as the encoder writes them, of every shape, a few kilobytes each. */
final class Streams {

    static final int CHUNK = 512;

    /** A byte that no payload of these streams has: where it shows, memory of an earlier use shows. */
    static final byte STALE = (byte) 0xA5;

    private static final Random CONTENT = new Random(42);

    private final ResultEncoder encoder;
    private final MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
    private int task;

    private Streams(ChunkPool pool, boolean compressed) {
        encoder = ResultEncoder.builder(pool)
                .window(4)
                .compression(compressed ? new NaiveBlocks() : null)
                .build();
    }

    /** All shapes by name, each of about 4 KiB; the pool has chunks of {@link #CHUNK} bytes. */
    static Map<String, byte[]> all(ChunkPool pool) throws IOException {
        Map<String, byte[]> all = new LinkedHashMap<>();
        Streams empty = new Streams(pool, false);
        Streams small = new Streams(pool, false);
        Streams failed = new Streams(pool, false);
        for (int i = 0; i < 28; i++) {
            empty.result(0, 0);
            (i % 2 == 0 ? small : failed).result(i % 2 == 0 ? 100 : 0, 0);
        }
        all.put("empty", empty.bytes());
        all.put("small", small.bytes());
        all.put("many frames", new Streams(pool, false).result(3_600, 0).bytes());
        all.put("trailer", new Streams(pool, false).result(700, 2_900).bytes());
        all.put("failure", failed.failure(900).bytes());
        all.put("out of band", new Streams(pool, false).outOfBand(3_500).bytes());
        all.put("compressed", new Streams(pool, true).runs(15_000, 2_000).bytes());
        all.put("several", several(pool));
        return all;
    }

    static byte[] several(ChunkPool pool) throws IOException {
        return new Streams(pool, false)
                .result(600, 20)
                .failure(300)
                .outOfBand(700)
                .result(0, 0)
                .result(1_200, 0)
                .bytes();
    }

    byte[] bytes() {
        return sink.toByteArray();
    }

    Streams result(int payload, int trailer) throws IOException {
        try (ResultWriter writer = open()) {
            writer.payload().writeBytes(content(payload), 0, payload);
            if (trailer > 0) {
                writer.trailer().writeBytes(content(trailer), 0, trailer);
            }
            writer.finish();
        }
        return this;
    }

    Streams outOfBand(int payload) throws IOException {
        try (ResultWriter writer = open()) {
            writer.payload().writeLong(payload);
            writer.payload().writeOutOfBand(content(payload), 0, payload);
            writer.payload().writeLong(payload);
            writer.finish();
        }
        return this;
    }

    /** Bytes that repeat, so that frames are compressed, with a few between that are not. */
    Streams runs(int payload, int trailer) throws IOException {
        try (ResultWriter writer = open()) {
            for (int from = 0; from < payload; from += 4_000) {
                byte[] run = new byte[Math.min(4_000, payload - from)];
                Arrays.fill(run, (byte) (from / 4_000 + 1));
                writer.payload().writeBytes(run, 0, run.length);
                writer.payload().writeBytes(content(50), 0, 50);
            }
            writer.trailer().writeBytes(new byte[trailer], 0, trailer);
            writer.finish();
        }
        return this;
    }

    Streams failure(int payload) throws IOException {
        try (ResultWriter writer = open()) {
            writer.payload().writeBytes(content(payload), 0, payload);
            writer.fail(new IllegalStateException("no more rows"));
        }
        return this;
    }

    static byte[] content(int length) {
        byte[] bytes = new byte[length];
        CONTENT.nextBytes(bytes);
        for (int i = 0; i < length; i++) {
            if (bytes[i] == STALE) {
                bytes[i] = 0;
            }
        }
        return bytes;
    }

    private ResultWriter open() throws IOException {
        return encoder.open(new ResultId("job", 1, task++, 0), "bytes/1", sink);
    }

    /** Where each frame begins, by the lengths of an undamaged stream; the preamble is at 0, the stream's end comes last. */
    static List<Integer> frameOffsets(byte[] stream) {
        List<Integer> offsets = new ArrayList<>(List.of(0));
        ByteBuffer fields = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 16; at < stream.length; at += 32 + fields.getInt(at + 16)) {
            offsets.add(at);
        }
        offsets.add(stream.length);
        return offsets;
    }

    /** The frames of an undamaged stream, its preamble first. */
    static List<byte[]> parts(byte[] stream) {
        List<Integer> offsets = frameOffsets(stream);
        List<byte[]> parts = new ArrayList<>();
        for (int i = 0; i + 1 < offsets.size(); i++) {
            parts.add(Arrays.copyOfRange(stream, offsets.get(i), offsets.get(i + 1)));
        }
        return parts;
    }
}
