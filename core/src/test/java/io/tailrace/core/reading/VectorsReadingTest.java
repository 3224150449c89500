// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameVector;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every vector through the receiver, pushed and pulled, in every fragmentation. */
final class VectorsReadingTest {

    private static final AtomicLong CASES = new AtomicLong();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @AfterAll
    static void cases() {
        System.out.println("VectorsReadingTest: " + CASES + " cases");
    }

    static Stream<FrameVector> vectors() {
        return Stream.of(FrameVector.valid(), FrameVector.malformed(), FrameVector.golden("1.0"))
                .flatMap(List::stream);
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void isReportedAsExpectedInEveryFragmentation(FrameVector vector) throws IOException {
        ChunkPool pool = audit.pool(ReferenceDecoder.USUAL_CHUNK, 8L * ReferenceDecoder.USUAL_CHUNK);
        Reading reading = Reading.of(pool);
        Reading ahead = reading.ahead(audit.executor());
        Random random = audit.random();
        List<Cuts> all = new ArrayList<>(Cuts.all(vector.bytes(), random));
        for (int i = 0; i < 3; i++) {
            all.add(Cuts.random(vector.bytes().length, random));
        }
        for (Cuts cuts : all) {
            compare(vector, cuts + " pushed", reading.push(vector.bytes(), cuts));
            compare(vector, cuts + " pulled", reading.pull(vector.bytes(), cuts));
            compare(vector, cuts + " read ahead", ahead.pull(vector.bytes(), cuts));
            audit.requireWhole();
        }
        List<Reported> expected = ReferenceDecoder.decode(vector.bytes());
        assertEquals(
                Reading.outlines(expected), Reading.outlines(reading.push(vector.bytes(), Cuts.none())), "the referee");
        CASES.addAndGet(3L * all.size());
    }

    private static void compare(FrameVector vector, String how, List<Reported> reports) {
        FrameVector told = vector.without("stream", "chunk", "compression"); // which a listener does not learn
        assertEquals(List.of(), told.differences(reports), () -> how + ": " + vector.description());
    }
}
