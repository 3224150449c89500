// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ReadmeTest {

    /** Fory starts a thread, once in a JVM. */
    @BeforeAll
    static void startForysThread() {
        assertEquals("fory-each/1", HelloSerializers.BY_FORY.id());
    }

    @Test
    void codeOfTypedValuesInTheReadmeIsTheOneThatRuns() throws IOException {
        requireShown("HelloValues");
        assertEquals(6.5, HelloValues.run());
    }

    @Test
    void codeOfOtherSerializersInTheReadmeIsTheOneThatRuns() throws Exception {
        requireShown("HelloSerializers");
        assertEquals(3 * 6.5 + 1.5, HelloSerializers.run());
    }

    private static void requireShown(String source) throws IOException {
        List<String> shown = new ArrayList<>();
        boolean within = false;
        for (String line : Files.readAllLines(Path.of("src/test/java/io/tailrace/codec/" + source + ".java"))) {
            if (line.strip().equals("// README begin") || line.strip().equals("// README end")) {
                within = line.strip().endsWith("begin");
            } else if (within) {
                shown.add(line);
            }
        }
        assertTrue(shown.size() > 8);
        String code = normal(shown);
        assertTrue(normal(Files.readAllLines(Path.of("../README.md"))).contains(code), "README.md lacks:\n" + code);
    }

    /** The formatter breaks lines where the README does not. */
    private static String normal(List<String> lines) {
        return String.join("", lines).replaceAll("\\s", "");
    }
}
