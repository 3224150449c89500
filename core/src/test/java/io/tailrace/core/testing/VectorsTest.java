// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.Reported.Terminal;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class VectorsTest {

    static Stream<FrameVector> all() {
        return Stream.of(FrameVector.valid(), FrameVector.malformed(), FrameVector.golden("1.0"))
                .flatMap(List::stream);
    }

    static Stream<FrameVector> undamaged() {
        return Stream.of(FrameVector.valid(), FrameVector.golden("1.0")).flatMap(List::stream);
    }

    @ParameterizedTest
    @MethodSource("all")
    void referenceDecoderReportsWhatTheVectorExpects(FrameVector vector) {
        assertEquals(
                List.of(),
                vector.differences(ReferenceDecoder.decode(vector.bytes())),
                () -> vector + ": " + vector.description());
    }

    @ParameterizedTest
    @MethodSource("undamaged")
    void everyPrefixIsTruncatedUnlessItEndsBetweenResults(FrameVector vector) {
        byte[] bytes = vector.bytes();
        int step = Math.max(1, bytes.length / 2_000);
        List<Reported> whole = ReferenceDecoder.decode(bytes);
        for (int length = 0; length < bytes.length; length += step) {
            List<Reported> reports = ReferenceDecoder.decode(Arrays.copyOf(bytes, length));
            boolean truncated =
                    !reports.isEmpty() && reports.get(reports.size() - 1).terminal() == Terminal.TRUNCATED;
            List<Reported> complete = truncated ? reports.subList(0, reports.size() - 1) : reports;
            assertTrue(truncated || length == 16 || endsBehindTerminal(bytes, length), "cut at " + length);
            assertEquals(
                    whole.subList(0, complete.size()).toString(),
                    complete.toString(),
                    "results before the cut at " + length);
        }
    }

    @Test
    void everyFlippedBitOfTheWorkedExamplesIsFound() {
        for (String name : List.of("empty-result", "small-result", "failure", "compressed-frame")) {
            FrameVector vector = FrameVector.valid().stream()
                    .filter(candidate -> candidate.name().equals(name))
                    .findAny()
                    .orElseThrow();
            for (long bit = 0; bit < vector.bytes().length * 8L; bit++) {
                List<Reported> reports = ReferenceDecoder.decode(FrameBytes.flipped(vector.bytes(), bit));
                assertEquals(Terminal.MALFORMED, reports.get(0).terminal(), name + ", bit " + bit);
            }
        }
    }

    /** Frame headers are found by their checksum, independently of the decoder's own walk. */
    private static boolean endsBehindTerminal(byte[] bytes, int length) {
        for (int at = 16; at < length; ) {
            int wireLength = (bytes[at + 16] & 0xFF) | ((bytes[at + 17] & 0xFF) << 8) | ((bytes[at + 18] & 0xFF) << 16);
            int next = at + 32 + wireLength;
            boolean terminal = bytes[at] == 4 || bytes[at] == 5;
            boolean connection = Arrays.equals(bytes, at + 8, at + 16, new byte[8], 0, 8);
            if (next == length && (terminal || connection)) {
                return true;
            }
            at = next;
        }
        return false;
    }
}
