// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Where a stream is cut into the pieces in which it arrives: positions between 0 and its length, ascending. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Cuts(String name, int[] positions) {

    static Cuts none() {
        return new Cuts("whole", new int[0]);
    }

    static Cuts halves(int length) {
        return new Cuts("halves", new int[] {length / 2});
    }

    static Cuts bytes(int length) {
        return new Cuts("bytes", IntStream.range(1, length).toArray());
    }

    /** In the middle of the preamble, of each header and of each body, and before and behind each header. */
    static Cuts headers(byte[] stream) {
        List<Integer> cuts = new ArrayList<>(List.of(8));
        ByteBuffer fields = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        long at = 16;
        while (at + 32 <= stream.length) {
            long body = Integer.toUnsignedLong(fields.getInt((int) at + 16));
            for (long cut : new long[] {at, at + 15, at + 32, at + 32 + body / 2}) {
                cuts.add((int) Math.min(cut, stream.length));
            }
            at += 32 + body;
        }
        return of("headers", cuts, stream.length);
    }

    /** Pieces of 1 byte to about a fiftieth of the stream, a few of them far longer. */
    static Cuts random(int length, Random random) {
        List<Integer> cuts = new ArrayList<>();
        int usual = 1 + random.nextInt(Math.max(1, length / 25));
        int at = 0;
        while (at < length) {
            at += random.nextInt(10) == 0 ? 1 + random.nextInt(length) : 1 + random.nextInt(usual);
            cuts.add(Math.min(at, length));
        }
        return of("random", cuts, length);
    }

    static List<Cuts> all(byte[] stream, Random random) {
        return List.of(
                none(), halves(stream.length), bytes(stream.length), headers(stream), random(stream.length, random));
    }

    /** The end of the piece that begins at a position. */
    int end(int from, int length) {
        for (int position : positions) {
            if (position > from) {
                return Math.min(position, length);
            }
        }
        return length;
    }

    private static Cuts of(String name, List<Integer> cuts, int length) {
        return new Cuts(
                name,
                cuts.stream()
                        .mapToInt(Integer::intValue)
                        .filter(cut -> cut > 0 && cut < length)
                        .distinct()
                        .sorted()
                        .toArray());
    }

    @Override
    public String toString() {
        return name;
    }
}
