// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.lz4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which LZ4 runs where access is denied, seen from JVMs of their own. */
class Lz4AccessTest {

    private static final String DENY_NATIVE = "--illegal-native-access=deny";
    private static final String DENY_UNSAFE = "--sun-misc-unsafe-memory-access=deny";

    @TempDir
    Path directory;

    private record Ended(int status, String output, String errors) {}

    @Test
    void javaRunsWithNativeAccessAndUnsafeDenied() throws Exception {
        Ended ended = child("java", jdk25(), List.of(DENY_NATIVE, DENY_UNSAFE));
        assertEquals("JavaSafe 1000000\n", ended.output(), ended.toString());
        assertEquals(0, ended.status(), ended.toString());
        assertFalse(ended.errors().contains("WARNING"), ended.toString());
    }

    @Test
    void deniedNativeAccessFallsBackVisibly() throws Exception {
        Ended ended = child("fastest", jdk25(), List.of(DENY_NATIVE, DENY_UNSAFE));
        assertEquals("JavaSafe 1000000\n", ended.output(), ended.toString());
        assertTrue(ended.errors().contains("LZ4 runs as JavaSafe"), ended.toString());
        assertEquals(0, ended.status(), ended.toString());
    }

    @Test
    void grantedNativeAccessIsUsed() throws Exception {
        assumeTrue(Lz4Compression.fastest().implementation().equals("JNI"), "native LZ4 does not load here");
        Ended ended = child("fastest", jdk25(), List.of("--enable-native-access=ALL-UNNAMED"));
        assertEquals("JNI 1000000\n", ended.output(), ended.toString());
        assertFalse(ended.errors().contains("LZ4 runs as"), ended.toString());
    }

    private Ended child(String which, Path jdk, List<String> options) throws IOException, InterruptedException {
        Path output = directory.resolve("out");
        Path errors = directory.resolve("err");
        List<String> command = new ArrayList<>();
        command.add(jdk.resolve("bin/java").toString());
        command.addAll(options);
        // lz4-java extracts its library there, and leaves it behind when its JVM is killed.
        command.add("-Djava.io.tmpdir=" + directory);
        command.add("-Xmx64m");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Lz4AccessChild.class.getName(), which));
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "the child hangs");
        } finally {
            process.destroyForcibly();
        }
        return new Ended(process.exitValue(), Files.readString(output), Files.readString(errors));
    }

    /** The options exist from JDK 24 on: this JDK, or a 25 beside it. */
    private static Path jdk25() throws IOException {
        if (Runtime.version().feature() >= 25) {
            return Path.of(System.getProperty("java.home"));
        }
        List<Path> found = new ArrayList<>();
        String home = System.getenv("JAVA_HOME_25");
        if (home != null) {
            found.add(Path.of(home));
        }
        Path all = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(all)) {
            try (DirectoryStream<Path> homes = Files.newDirectoryStream(all, "*-25-*")) {
                homes.forEach(found::add);
            }
        }
        found.removeIf(candidate -> !Files.isExecutable(candidate.resolve("bin/java")));
        assumeTrue(!found.isEmpty(), "no JDK 25 here: set JAVA_HOME_25");
        return found.get(0);
    }
}
