// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.transport.HelloConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReadmeTest {

    @Test
    void firstCodeOfTheReadmeIsTheOneThatRuns() throws IOException {
        assertReadmeHas("HelloResult.java");
        assertEquals(499_999_500_000L, HelloResult.run());
    }

    @Test
    void codeForManyResultsOnOneConnectionIsTheOneThatRuns() throws Exception {
        assertReadmeHas("transport/HelloConnection.java");
        Map<Long, long[]> received = HelloConnection.run();
        assertArrayEquals(new long[] {7, 1_000_000}, received.get(42L));
        assertArrayEquals(new long[] {8, 100}, received.get(43L));
    }

    private static void assertReadmeHas(String file) throws IOException {
        List<String> source =
                Files.readAllLines(Path.of("src/test/java/io/tailrace/core").resolve(file));
        List<String> lines = source.subList(indexOf(source, "// README begin") + 1, indexOf(source, "// README end"));
        String code = normal(lines);
        assertTrue(normal(Files.readAllLines(Path.of("../README.md"))).contains(code), "README.md lacks:\n" + code);
    }

    private static int indexOf(List<String> lines, String mark) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).strip().equals(mark)) {
                return i;
            }
        }
        throw new AssertionError("no " + mark);
    }

    /** The formatter breaks lines where the README does not. */
    private static String normal(List<String> lines) {
        return lines.stream()
                .map(String::strip)
                .collect(Collectors.joining(" "))
                .replaceAll("\\s+", " ");
    }
}
