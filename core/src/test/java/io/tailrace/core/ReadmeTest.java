// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReadmeTest {

    @Test
    void firstCodeOfTheReadmeIsTheOneThatRuns() throws IOException {
        List<String> source = Files.readAllLines(Path.of("src/test/java/io/tailrace/core/HelloResult.java"));
        List<String> lines = source.subList(indexOf(source, "// README begin") + 1, indexOf(source, "// README end"));
        String code = normal(lines);
        assertTrue(normal(Files.readAllLines(Path.of("../README.md"))).contains(code), "README.md lacks:\n" + code);
        assertEquals(499_999_500_000L, HelloResult.run());
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
