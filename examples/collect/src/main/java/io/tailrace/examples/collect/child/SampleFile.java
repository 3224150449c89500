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
import java.util.List;

/** The file of a child's samples, in its temporary directory: a line each, microseconds since 1970 and bytes. */
public final class SampleFile implements Closeable {

    private static final String NAME = "samples.csv";

    private final BufferedWriter out;

    /** Bytes live at a moment, in microseconds since 1970. */
    public record Sample(long micros, long liveBytes) {}

    SampleFile(Path directory) throws IOException {
        out = Files.newBufferedWriter(directory.resolve(NAME));
    }

    void add(long liveBytes) throws IOException {
        out.write(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()) + "," + liveBytes + "\n");
        out.flush(); // a child that runs out of memory has no time left for that
    }

    /** The samples that a child left; the last line may be torn. */
    public static List<Sample> read(Path directory) throws IOException {
        List<Sample> samples = new ArrayList<>();
        Path file = directory.resolve(NAME);
        List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
        for (String line : lines.subList(0, Math.max(0, lines.size() - 1))) {
            int comma = line.indexOf(',');
            samples.add(
                    new Sample(Long.parseLong(line.substring(0, comma)), Long.parseLong(line.substring(comma + 1))));
        }
        return samples;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
