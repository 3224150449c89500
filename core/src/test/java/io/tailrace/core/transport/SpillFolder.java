// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A test's folder for what goes to disk: nothing may be left in it. Registered as an instance field. */
final class SpillFolder implements BeforeEachCallback, AfterEachCallback {

    /** A disk that holds all of a test. */
    static final long AMPLE = 64L << 20;

    /** So that it is soon seen who stands still. */
    static final Duration HEARTBEAT = Duration.ofMillis(400);

    private Path parent;

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        parent = Files.createTempDirectory("tailrace-spill");
    }

    /** Where an end spills; not there before it was opened. */
    Path path() {
        return parent.resolve("spill");
    }

    static ResultId task(int number) {
        return new ResultId("job", 1, number, 0);
    }

    void assertEmpty() throws IOException {
        if (Files.exists(path())) {
            assertEquals(List.of(), list());
        }
    }

    /** Takes it from the end that has opened it. */
    void remove() throws IOException {
        for (Path each : list()) {
            Files.delete(each);
        }
        Files.delete(path());
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> all = Files.list(path())) {
            return all.toList();
        }
    }

    static boolean tellsOpenFiles() {
        return Files.isDirectory(Path.of("/proc/self/fd"));
    }

    /** The files, which have lost their names, by a descriptor of each; they can be read and written so. */
    List<Path> openFiles() throws IOException {
        String folder = path().toRealPath() + "/";
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            Map<String, Path> found = new HashMap<>(); // each file has a descriptor or two
            for (Path each : open.toList()) {
                try {
                    String target = Files.readSymbolicLink(each).toString();
                    if (target.startsWith(folder) && target.contains(".spill")) {
                        found.put(target, each);
                    }
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
            return List.copyOf(found.values());
        }
    }

    static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        assertEmpty();
        Files.deleteIfExists(path());
        Files.deleteIfExists(parent);
    }
}
