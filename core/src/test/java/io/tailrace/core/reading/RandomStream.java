// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.NaiveLz4;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A stream of a few results of every shape, whole or with one thing wrong in it; the same seed makes the same one. */
final class RandomStream {

    private static final long[] EDGES = {
        0, 1, 2, 31, 32, 33, 39, 40, 41, 480, 481, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFE0L, 0xFFFF_FFFFL
    };

    private final Random random;
    private final FrameBytes stream;
    private final int frames;
    private int broken = -1;
    private String breakage = "nothing";
    private int made;

    private RandomStream(Random random, boolean breaks) {
        this.random = random;
        this.stream = random.nextBoolean() ? FrameBytes.file() : FrameBytes.connection();
        this.frames = 2 + random.nextInt(20);
        if (breaks) {
            broken = random.nextInt(frames);
        }
        // A few below 0 the ids of a broken stream run into the connection's own.
        stream.nextStreamId(breaks && random.nextInt(4) == 0 ? -2 : random.nextLong() | 1L << 32);
    }

    static RandomStream whole(Random random) {
        return new RandomStream(random, false).fill();
    }

    static RandomStream broken(Random random) {
        return new RandomStream(random, true).fill();
    }

    /** The bytes; of a broken stream, now and then cut short, or with frames lost, repeated or exchanged. */
    byte[] bytes() {
        byte[] bytes = broken >= 0 && random.nextInt(5) == 0 ? disordered() : stream.toBytes();
        if (broken >= 0 && random.nextInt(8) == 0) {
            int length = random.nextInt(bytes.length + 1);
            breakage += ", cut at " + length;
            bytes = java.util.Arrays.copyOf(bytes, length);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return "frame " + broken + ": " + breakage;
    }

    private RandomStream fill() {
        while (made < frames) {
            result();
        }
        return this;
    }

    private void result() {
        if (random.nextInt(4) == 0) {
            stream.frame(0x80 + random.nextInt(0x80), Streams.content(random.nextInt(50)))
                    .streamId(0)
                    .sequence(random.nextInt());
            frame();
        }
        boolean compress = random.nextInt(3) == 0;
        stream.compression(compress ? 1 : 0);
        stream.identity(random.nextBoolean() ? "etl" : "Überlauf-" + made, random.nextInt(3) - 1L, made, made);
        stream.codecId(random.nextInt(4) == 0 ? "" : "rows/1");
        stream.open();
        frame();
        int data = random.nextInt(5);
        int trailers = random.nextInt(3);
        for (int i = 0; i < data + trailers; i++) {
            content(i < data ? 2 : 3, compress);
            if (random.nextInt(6) == 0) {
                stream.frame(0x80 + random.nextInt(0x80), Streams.content(random.nextInt(50)));
                frame();
            }
        }
        if (random.nextInt(5) == 0) {
            stream.failure(random.nextInt(12), random.nextBoolean(), "C", "text", "stack");
        } else {
            stream.end();
        }
        frame();
    }

    private void content(int kind, boolean compress) {
        int length = 1 + random.nextInt(480);
        if (compress && length > 20 && random.nextBoolean()) {
            stream.compressed(kind, NaiveLz4.run(random.nextInt(100), length), length);
        } else {
            stream.frame(kind, Streams.content(length));
        }
        frame();
    }

    /** A frame was added: breaks it when it is its turn. */
    private void frame() {
        if (made++ == broken) {
            breakLast();
        }
    }

    private void breakLast() {
        long edge = EDGES[random.nextInt(EDGES.length)];
        int value = random.nextInt(256);
        int what = random.nextInt(15);
        breakage = what + " edge " + edge + " value " + value;
        switch (what) {
            case 0 -> stream.kind(value);
            case 1 -> stream.kind(1 + random.nextInt(5));
            case 2 -> stream.flags(value);
            case 3 -> stream.flags(1);
            case 4 -> stream.ignorableFlags(value);
            case 5 -> stream.reserved(value);
            case 6 -> stream.sequence(edge);
            case 7 -> stream.sequence(random.nextInt(8));
            case 8 -> stream.streamId(random.nextBoolean() ? 0 : edge);
            case 9 -> stream.wireLength(edge);
            case 10 -> stream.rawLength(edge);
            case 11 -> stream.bodyChecksum(random.nextInt());
            case 12 -> stream.headerChecksum(random.nextInt());
            case 13 -> stream.body(Streams.content(random.nextInt(500)));
            default -> body(value);
        }
    }

    private void body(int value) {
        List<byte[]> all = stream.frames();
        byte[] last = all.get(all.size() - 1);
        if (last.length > 32) {
            stream.bodyAt(random.nextInt(last.length - 32), (byte) value);
        }
    }

    private byte[] disordered() {
        List<byte[]> parts = new ArrayList<>(stream.frames());
        int at = random.nextInt(parts.size());
        int to = random.nextInt(parts.size());
        switch (random.nextInt(4)) {
            case 0 -> parts.remove(at);
            case 1 -> parts.add(to, parts.get(at));
            case 2 -> java.util.Collections.swap(parts, at, to);
            default -> parts.addAll(to, List.copyOf(parts.subList(Math.min(at, to), Math.max(at, to))));
        }
        breakage += ", disordered " + at + " " + to;
        parts.add(0, stream.preamble());
        return FrameBytes.join(parts);
    }
}
