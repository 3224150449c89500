// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A process that may not write files above a size: its device is full at that byte. */
final class FileLimit {

    private FileLimit() {}

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        ResultId id = new ResultId("file", 1, 1, 0);
        long reached;
        int failed = 0;
        try (ChunkPool pool =
                ChunkPool.builder().chunkBytes(4096).budgetBytes(64 << 10).build()) {
            ResultEncoder encoder = ResultEncoder.builder(pool).build();
            try (FileSink sink = FileSink.create(directory.resolve("large"), true)) {
                try {
                    encoder.encode(id, Sample.CODEC, new Sample(1, 100_000), sink);
                } catch (ResultFailedException e) {
                    if (e.failure().phase() != FailurePhase.SINK) {
                        throw e;
                    }
                    failed++;
                }
                reached = Files.size(part(directory));
            }
            try (FileSink sink = FileSink.create(directory.resolve("small"), true)) {
                encoder.encode(id, Sample.CODEC, new Sample(1, 1_000), sink);
            }
        }
        System.out.println("failed=" + failed);
        System.out.println("reached=" + reached);
    }

    private static Path part(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> parts =
                    files.filter(file -> file.toString().endsWith(".part")).toList();
            return parts.get(0);
        }
    }
}
