// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoundTripTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @ParameterizedTest
    @CsvSource({
        "a\ud800\u00e9, a?\u00e9",
        "a\ud83d\u4e2d, a?\u4e2d",
        "\ud83d\ude00\u00e9, \ud83d\ude00\u00e9",
        "\u00e9\udc00, \u00e9?"
    })
    void namesThatHaveNoUtf8FormAreReadWithAQuestionMark(String name, String read) throws IOException {
        ChunkPool pool = audit.pool(512, 4 * 512);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (ResultWriter writer = ResultEncoder.builder(pool).build().open(new ResultId(name, 1, 2, 3), name, sink)) {
            writer.finish();
        }
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            assertEquals(read, reader.id().job());
            assertEquals(read, reader.codecId());
            reader.finish();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void payloadAndTrailerComeBackAsWritten(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(1024, 64 << 10);
        ResultEncoder encoder = ResultEncoder.builder(pool)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        byte[] big = new byte[10_000];
        for (int i = 0; i < big.length; i++) {
            big[i] = (byte) i;
        }
        for (int r = 0; r < 3; r++) {
            try (ResultWriter writer = encoder.open(new ResultId("job", 1, r, 0), "longs/1", sink)) {
                WireOutput out = writer.payload();
                for (long i = 0; i < 10_000; i++) {
                    out.writeLong(i);
                }
                out.writeOutOfBand(big, 0, big.length);
                writer.trailer().writeUtf8("metrics");
                ResultSummary summary = writer.finish();
                assertEquals(90_000, summary.payloadBytes());
                assertTrue(summary.firstPayloadNanos() > 0);
            }
        }
        assertEquals(0, pool.liveBytes());
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            for (int r = 0; r < 3; r++) {
                assertTrue(reader.nextResult());
                assertEquals(new ResultId("job", 1, r, 0), reader.id());
                WireInput in = reader.payload();
                for (long i = 0; i < 10_000; i++) {
                    assertEquals(i, in.readLong());
                }
                byte[] back = new byte[big.length];
                in.readBytes(back, 0, back.length);
                assertEquals(
                        java.util.HexFormat.of().formatHex(big),
                        java.util.HexFormat.of().formatHex(back));
                assertTrue(in.exhausted());
                assertEquals("metrics", reader.trailer().readUtf8());
                ResultSummary summary = reader.finish();
                assertEquals(90_000, summary.payloadBytes());
            }
            assertFalse(reader.nextResult());
        }
        assertEquals(0, pool.liveBytes(), pool.report());
    }
}
