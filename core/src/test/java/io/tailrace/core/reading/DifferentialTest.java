// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.HexText;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Random streams: the receiver and the referee accept and refuse alike, and agree on every byte. */
final class DifferentialTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private long accepted;
    private long refused;

    @Test
    void brokenStreamsAreReportedAsTheRefereeReportsThem() throws IOException {
        compare(LeakAudit.FULL ? 200_000 : 4_000, true);
        assertTrue(refused > accepted / 4, "hardly anything was refused");
        assertTrue(accepted > refused / 4, "hardly anything was accepted");
    }

    @Test
    void wholeStreamsAreReportedAsTheRefereeReportsThem() throws IOException {
        compare(LeakAudit.FULL ? 20_000 : 500, false);
        assertEquals(0, refused);
    }

    private void compare(int cases, boolean breaks) throws IOException {
        Random seeds = audit.random();
        ChunkPool pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        Reading reading = Reading.of(pool);
        for (int i = 0; i < cases; i++) {
            long seed = seeds.nextLong();
            Random random = new Random(seed);
            RandomStream stream = breaks ? RandomStream.broken(random) : RandomStream.whole(random);
            byte[] bytes = stream.bytes();
            List<Reported> reports = ReferenceDecoder.decode(bytes, Streams.CHUNK);
            List<String> expected = Reading.outlines(reports);
            Cuts cuts = i % 2 == 0 ? Cuts.none() : Cuts.random(bytes.length, random);
            String what = i + ", seed " + seed + ", " + stream + ", " + cuts;
            assertEquals(
                    expected,
                    Reading.outlines(reading.push(bytes, cuts)),
                    () -> what + " pushed\n" + reports + "\n" + HexText.format(bytes));
            assertEquals(
                    expected,
                    Reading.outlines(reading.pull(bytes, cuts)),
                    () -> what + " pulled\n" + reports + "\n" + HexText.format(bytes));
            for (Reported report : reports) {
                boolean sound = report.terminal() == Terminal.END || report.terminal() == Terminal.FAILURE;
                accepted += sound ? 1 : 0;
                refused += sound ? 0 : 1;
            }
        }
        audit.cases(cases);
        audit.figure(accepted + " results complete or failed by their sender, " + refused + " refused");
    }
}
