// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Expectation;
import io.tailrace.core.testing.FrameVector;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every vector through the receiver, pushed and pulled, in every fragmentation. */
final class VectorsReadingTest {

    /** How the receiver words the refusals of FRAME_FORMAT.md §12. */
    private static final Map<String, String> REASONS = Map.ofEntries(
            entry("P1", "not a Tailrace stream"),
            entry("P2", "preamble checksum does not match"),
            entry("P3", "unknown major version"),
            entry("P4", "unknown purpose"),
            entry("P5", "reserved byte of the preamble is not 0"),
            entry("H1", "header checksum does not match"),
            entry("H2", "wire length exceeds what a chunk holds"),
            entry("H3", "reserved byte of the header is not 0"),
            entry("H4", "wire length exceeds what its frame may have"),
            entry("H5", "raw length exceeds what its frame may have"),
            entry("H6", "raw length disagrees with wire length"),
            entry("H7", "compressed frame is not smaller than its raw length"),
            entry("H8", "body checksum does not match"),
            entry("K1", "unknown frame kind"),
            entry("K2", "unknown must-understand flags"),
            entry("K3", "is never compressed"),
            entry("K4", "of the connection is not of this version"),
            entry("K5", "unknown must-understand flags"),
            entry("S1", "frame of a result that was not opened"),
            entry("S2", "result opened twice"),
            entry("S3", "frame after the result's end"),
            entry("S4", "foreign frame"),
            entry("S5", "frame out of sequence"),
            entry("S6", "data frame behind the trailer"),
            entry("S7", "empty DATA frame|empty TRAILER frame"),
            entry("C1", "compressed frame in a result that declares no compression"),
            entry("C2", "compressed block"),
            entry("O1", "open frame is too short|is missing|leaves the frame's body"),
            entry("O2", "chunk size is out of range"),
            entry("O3", "declared chunk size exceeds the receiver's"),
            entry("O4", "is not one this receiver has"),
            entry("O5", "reserved field of the open frame is not 0"),
            entry("O6", "codec id is too long"),
            entry("O7", "is not UTF-8"),
            entry("E1", "end frame is too short"),
            entry("E2", "reserved field of the end frame is not 0"),
            entry("E3", "payload bytes of the end frame disagree"),
            entry("E4", "payload wire bytes of the end frame disagree"),
            entry("E5", "trailer bytes of the end frame disagree"),
            entry("E6", "frames of the end frame disagree"),
            entry("E7", "digest of the end frame disagree"),
            entry("F1", "failure frame is too short|is missing|leaves the frame's body"),
            entry("F2", "reserved field of the failure frame is not 0"),
            entry("F3", "is too long"),
            entry("F4", "is not UTF-8"),
            entry("T1", "the stream is empty|the stream ends inside its preamble"),
            entry("T2", "the stream ends inside a frame"),
            entry("T3", "the stream ends inside a result"),
            entry("T4", "the stream ends inside a result"));

    /** What a listener is not told. */
    private static final Set<String> UNSEEN = Set.of("stream", "reason", "chunk", "compression");

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    static Stream<FrameVector> vectors() {
        return Stream.of(FrameVector.valid(), FrameVector.malformed(), FrameVector.golden("1.0"))
                .flatMap(List::stream);
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void isReportedAsExpectedInEveryFragmentation(FrameVector vector) throws IOException {
        ChunkPool pool = audit.pool(ReferenceDecoder.USUAL_CHUNK, 8L * ReferenceDecoder.USUAL_CHUNK);
        Reading reading = Reading.of(pool);
        Random random = audit.random();
        List<Cuts> all = new ArrayList<>(Cuts.all(vector.bytes(), random));
        for (int i = 0; i < 3; i++) {
            all.add(Cuts.random(vector.bytes().length, random));
        }
        for (Cuts cuts : all) {
            compare(vector, cuts + " pushed", reading.push(vector.bytes(), cuts));
            compare(vector, cuts + " pulled", reading.pull(vector.bytes(), cuts));
            audit.requireWhole();
        }
        List<Reported> expected = ReferenceDecoder.decode(vector.bytes());
        assertEquals(
                Reading.outlines(expected), Reading.outlines(reading.push(vector.bytes(), Cuts.none())), "the referee");
        audit.cases(2L * all.size());
    }

    private static void compare(FrameVector vector, String how, List<Reported> reports) {
        List<Expectation> seen = vector.expected().stream()
                .map(VectorsReadingTest::withoutUnseen)
                .toList();
        FrameVector comparable = new FrameVector(vector.name(), vector.description(), seen, vector.bytes());
        assertEquals(List.of(), comparable.differences(reports), () -> how + ": " + vector.description());
        for (int i = 0; i < reports.size(); i++) {
            String row = vector.expected().get(i).row();
            if (row != null) {
                String reason = reports.get(i).reason();
                String pattern = Objects.requireNonNull(REASONS.get(row), row);
                assertTrue(
                        reason.matches("(?s).*(" + pattern + ").*"),
                        () -> how + ": row " + row + " worded \"" + reason + "\"");
            }
        }
    }

    private static Expectation withoutUnseen(Expectation expected) {
        Map<String, String> fields = new HashMap<>(expected.fields());
        fields.keySet().removeAll(UNSEEN);
        return new Expectation(expected.terminal(), fields);
    }
}
