// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** FRAME_FORMAT.md against the vectors: the document cannot drift. */
final class FrameFormatDocumentTest {

    /** The rows of multiplexed connections have tests of their own. */
    private static final Predicate<String> OF_PLAIN_STREAMS = row -> !row.startsWith("M") && !row.startsWith("A");

    private final String document = DocumentText.whole();

    @Test
    void workedExamplesEqualTheVectorsOfTheirName() {
        Map<String, byte[]> examples = HexText.examples(document);
        Map<String, FrameVector> vectors =
                FrameVector.valid().stream().collect(Collectors.toMap(FrameVector::name, Function.identity()));
        assertTrue(examples.keySet().removeAll(Set.of("multiplexed-client", "multiplexed-server")));
        assertEquals(Set.of("empty-result", "small-result", "failure", "compressed-frame"), examples.keySet());
        examples.forEach((name, bytes) -> {
            FrameVector vector = Objects.requireNonNull(vectors.get(name), name);
            assertArrayEquals(vector.bytes(), bytes, name);
            assertEquals(List.of(), vector.differences(ReferenceDecoder.decode(bytes)), name);
        });
    }

    @Test
    void everyRefusalHasAVectorWithItsReason() {
        Map<String, String> rows = DocumentText.rows();
        rows.keySet().removeIf(OF_PLAIN_STREAMS.negate());
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
}
