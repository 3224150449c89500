// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultSummary;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Results of every kind of frame: by reference, compressible and not, with a trailer. */
final class Parts {

    private static final int COUNT = 3;

    private final byte[] large;
    private final byte[] zeros = new byte[100_000];

    /** Those of which every byte was right. */
    private final Set<ResultId> whole = ConcurrentHashMap.newKeySet();

    Parts(long seed) {
        large = new Sample(seed, 40_000).bytes();
    }

    ResultSummary send(ResultClient client, ResultId id) throws IOException {
        try (ResultWriter writer = client.open(id, "parts/1")) {
            for (int part = 0; part < COUNT; part++) {
                writer.payload().writeOutOfBand(large, 0, large.length);
                writer.payload().writeBytes(zeros, 0, zeros.length);
                writer.payload().writeInt(part);
            }
            writer.trailer().writeUtf8("the trailer");
            return writer.finish();
        }
    }

    void receive(ArrivingResult result) throws IOException {
        for (int part = 0; part < COUNT; part++) {
            assertArrayEquals(large, result.payload().readByteArray(large.length));
            assertArrayEquals(zeros, result.payload().readByteArray(zeros.length));
            assertEquals(part, result.payload().readInt());
        }
        assertTrue(result.payload().exhausted());
        assertEquals("the trailer", result.trailer().readUtf8());
        result.finish();
        whole.add(result.id());
    }

    int whole() {
        return whole.size();
    }
}
