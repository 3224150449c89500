// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.wire.ResultId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** What the tests of spilling share. */
final class Spills {

    static final ResultId ID = new ResultId("spill", 1, 2, 3);

    private Spills() {}

    static Chunk chunk(byte[] bytes) {
        Chunk chunk = Chunk.loose(Math.max(1, bytes.length));
        chunk.writeBytes(bytes);
        return chunk;
    }

    static Chunk chunk(int bytes) {
        return chunk(new byte[bytes]);
    }

    static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** A frame with an offset in its chunk, or with a body in memory of one of four kinds; its bytes go to {@code sum}. */
    static Chunk frame(Random random, int kind, ByteArrayOutputStream sum) {
        byte[] head = bytes(random, 1 + random.nextInt(200));
        byte[] body = bytes(random, kind == 0 ? 0 : random.nextInt(200_000));
        sum.writeBytes(head);
        Chunk chunk = Chunk.loose(1_000);
        int before = random.nextInt(100);
        chunk.writeZero(before).writeBytes(head).readerIndex(before);
        if (kind > 0) {
            int from = random.nextInt(100);
            ByteBuffer source =
                    kind < 3 ? ByteBuffer.allocate(from + body.length + 50) : direct(from + body.length + 50);
            source.put(from, body);
            chunk.attach(kind % 2 == 0 ? source.asReadOnlyBuffer() : source, from, body.length, null);
            sum.writeBytes(body);
        }
        return chunk;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes);
    }

    /** All that waits, in pieces of random size. */
    static byte[] readAll(SpillFile file, Random random) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] into = new byte[300_000];
        while (file.transferable() > 0) {
            int offset = random.nextInt(100);
            int n = file.read(into, offset, 1 + random.nextInt(into.length - offset));
            all.write(into, offset, n);
        }
        return all.toByteArray();
    }

    static List<String> names(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<String> spilled(Path directory) {
        return names(directory).stream().filter(name -> name.endsWith(".spill")).toList();
    }

    /** This process's descriptors of files that lie or lay there. */
    static List<Path> descriptors(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : all.toList()) {
                try {
                    if (Files.readSymbolicLink(each).startsWith(directory.toRealPath())) {
                        found.add(each);
                    }
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        return found;
    }
}
