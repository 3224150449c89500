// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.LeakAudit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The protocol in a world of one thread: many results over several connections, of which some break, to consumers that
 * dawdle, throw and cancel, against one small budget and, in some, a small disk.
 *
 * <p>{@code -Dtailrace.sim.seed=…} runs one seed alone; {@code -Dtailrace.sim.log=true} tells what happens in it.
 */
final class SimulationTest {

    private static final Long ONLY = Long.getLong("tailrace.sim.seed");
    private static final long SEEDS = LeakAudit.FULL ? 100_000 : 200;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void everySeedEndsWithEverythingInItsPlace() {
        if (ONLY != null) {
            new SimulatedRun(ONLY).run();
            return;
        }
        LongAdder spilling = new LongAdder();
        LongStream.range(0, SEEDS).parallel().forEach(seed -> {
            SimulatedRun run = new SimulatedRun(seed);
            run.run();
            spilling.add(run.spilledBytes() > 0 ? 1 : 0);
        });
        audit.cases(SEEDS);
        audit.figure(spilling + " of them with results on the receiver's disk");
        assertTrue(spilling.sum() > SEEDS / 20);
    }

    @Test
    void seedDecidesAll() {
        for (long seed = 0; seed < 20; seed++) {
            assertEquals(new SimulatedRun(seed).run(), new SimulatedRun(seed).run(), "seed " + seed);
        }
    }
}
