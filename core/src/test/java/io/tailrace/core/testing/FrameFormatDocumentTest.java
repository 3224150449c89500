// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** FRAME_FORMAT.md against the vectors: the document cannot drift. */
final class FrameFormatDocumentTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| ([A-Z]\\d) \\| .* \\| (result|connection) \\| (.*) \\|$", Pattern.MULTILINE);

    private final String document = read();

    @Test
    void workedExamplesEqualTheVectorsOfTheirName() {
        Map<String, byte[]> examples = HexText.examples(document);
        Map<String, FrameVector> vectors =
                FrameVector.valid().stream().collect(Collectors.toMap(FrameVector::name, Function.identity()));
        assertEquals(Set.of("empty-result", "small-result", "failure", "compressed-frame"), examples.keySet());
        examples.forEach((name, bytes) -> {
            FrameVector vector = Objects.requireNonNull(vectors.get(name), name);
            assertArrayEquals(vector.bytes(), bytes, name);
            assertEquals(List.of(), vector.differences(ReferenceDecoder.decode(bytes)), name);
        });
    }

    @Test
    void everyRefusalHasAVectorWithItsReason() {
        Map<String, String> rows = rows();
        Set<String> shown = new TreeSet<>();
        for (FrameVector vector : FrameVector.malformed()) {
            for (Expectation expected : vector.expected()) {
                String row = expected.row();
                if (row != null) {
                    shown.add(row);
                    String reason = expected.reason() == null ? "" : expected.reason();
                    assertTrue(String.valueOf(rows.get(row)).contains(reason), vector + ": " + reason);
                }
            }
            assertTrue(vector.expected().stream().anyMatch(expected -> expected.row() != null), vector.name());
        }
        assertEquals(new TreeSet<>(rows.keySet()), shown);
    }

    @Test
    void checkValueIsThatOfTheDocument() {
        assertTrue(document.contains("`123456789` is `E3069283`"));
        assertEquals(0xE3069283, NaiveCrc32c.of("123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
        assertEquals(0, NaiveCrc32c.of(new byte[0]));
    }

    private Map<String, String> rows() {
        Map<String, String> rows = new LinkedHashMap<>();
        Matcher matcher = ROW.matcher(document);
        while (matcher.find()) {
            rows.put(Objects.requireNonNull(matcher.group(1)), Objects.requireNonNull(matcher.group(3)));
        }
        return rows;
    }

    private static String read() {
        try {
            return Files.readString(Path.of(System.getProperty("basedir", "."), "FRAME_FORMAT.md"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
