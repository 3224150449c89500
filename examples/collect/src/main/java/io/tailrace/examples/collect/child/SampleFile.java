// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The file of a child's samples, in its temporary directory: a line each, the numbers of {@link Sample} in their order. */
public final class SampleFile implements Closeable {

    private static final String NAME = "samples.csv";

    private final BufferedWriter out;

    /**
     * A process's memory at a moment.
     *
     * @param micros since 1970
     * @param liveBytes serialised bytes, which are on the heap: the pool's count, or what stock mode holds
     * @param directBytes Netty's and the JDK's direct memory
     * @param heapBytes what outlived the last full collection, 0 before there was one
     * @param diskBytes of results that were spilled
     */
    public record Sample(long micros, long liveBytes, long directBytes, long heapBytes, long diskBytes) {}

    SampleFile(Path directory) throws IOException {
        out = Files.newBufferedWriter(directory.resolve(NAME));
    }

    void add(long liveBytes, long directBytes, long heapBytes, long diskBytes) throws IOException {
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        out.write(micros + "," + liveBytes + "," + directBytes + "," + heapBytes + "," + diskBytes + "\n");
        out.flush(); // a child that runs out of memory has no time left for that
    }

    /** The samples that a child left; the last line may be torn. */
    public static List<Sample> read(Path directory) throws IOException {
        List<Sample> samples = new ArrayList<>();
        Path file = directory.resolve(NAME);
        List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
        for (String line : lines.subList(0, Math.max(0, lines.size() - 1))) {
            long[] numbers = Arrays.stream(line.split(",", -1))
                    .mapToLong(Long::parseLong)
                    .toArray();
            samples.add(new Sample(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]));
        }
        return samples;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
