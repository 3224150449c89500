// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ChildJvmTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    @Test
    void childAnswersLineByLineAndLeavesItsFilesInItsOwnDirectory() throws Exception {
        try (ChildJvm one = ChildJvm.of(Echo.class, directory).start();
                ChildJvm other = ChildJvm.of(Echo.class, directory).start()) {
            one.say("first");
            one.say("second");
            assertEquals("heard first", one.await("heard", PATIENCE));
            assertEquals("heard second", one.await("heard", PATIENCE));
            one.say("end");
            assertEquals(List.of("heard first", "heard second"), one.lines(PATIENCE));
            assertTrue(Files.exists(one.directory().resolve("left")));

            assertNotEquals(one.directory(), other.directory());
            other.say("end");
            assertEquals(List.of(), other.lines(PATIENCE));
        }
    }

    @Test
    void killedChildEndsWithoutAWord() throws Exception {
        try (ChildJvm child = ChildJvm.of(Echo.class, directory).start()) {
            child.say("first");
            child.await("heard first", PATIENCE);
            child.kill();
            AssertionError failed = assertThrows(AssertionError.class, () -> child.await("heard", PATIENCE));
            assertTrue(failed.getMessage().startsWith("exit 137 without"), failed::getMessage);
        }
    }

    @Test
    void waitingForALineEnds() throws Exception {
        try (ChildJvm child = ChildJvm.of(Echo.class, directory).start()) {
            AssertionError failed = assertThrows(AssertionError.class, () -> child.await("h", Duration.ofMillis(20)));
            assertTrue(failed.getMessage().startsWith("still runs without"), failed::getMessage);
        }
    }

    /** Repeats what it hears. */
    static final class Echo {
        public static void main(String[] arguments) throws IOException {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("heard the end")));
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            Files.createFile(Path.of(System.getProperty("java.io.tmpdir"), "left"));
            for (String line = in.readLine(); !"end".equals(line); line = in.readLine()) {
                System.out.println("heard " + line);
            }
            Runtime.getRuntime().halt(0);
        }
    }
}
