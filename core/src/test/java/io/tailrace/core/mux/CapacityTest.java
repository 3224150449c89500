// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.testing.LeakAudit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * How many executors one driver bears, in virtual time: the table of bench/README.md, "Capacity of one driver", is what the
 * full proof prints.
 */
final class CapacityTest {

    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;
    private static final long[] BUDGETS = {16 * MIB, 256 * MIB, 1024L * MIB};

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void twentyExecutorsShareLinkAndBudgetEvenly() {
        Capacity capacity = new Capacity(20, 8, MIB, 4 * MIB, 16 * KIB, 16, 8);
        CapacityFigures figures = new CapacityRun(capacity).run();
        audit.figure(figures.row());
        assertEquals(capacity.longResults(), figures.longOnes().count());
        assertEquals(figures.admitted(), figures.accepted());
        assertEquals(4, figures.sharing(), "a quarter of 256 chunks, 16 each");
        assertTrue(figures.peak() <= capacity.budget(), "peak " + figures.peak());
        assertTrue(figures.jain() > 0.95, "Jain's index " + figures.jain());
        assertTrue(figures.ofLink() > 0.8, "of the link " + figures.ofLink());
    }

    @Test
    void sameRunComesToTheSameFigures() {
        Capacity capacity = new Capacity(10, 2, MIB, 2 * MIB, 64 * KIB, 2, 4);
        assertEquals(new CapacityRun(capacity).run(), new CapacityRun(capacity).run());
    }

    @Test
    void tableOfBenchReadmeIsThis() {
        Assumptions.assumeTrue(LeakAudit.FULL, "takes minutes");
        List<Capacity> rows = new ArrayList<>();
        for (int executors : new int[] {100, 1_000, 10_000}) {
            int rounds = executors == 100 ? 16 : executors == 1_000 ? 4 : 2;
            for (int chunk : new int[] {64 * KIB, 16 * KIB}) {
                for (long budget : BUDGETS) {
                    rows.add(new Capacity(executors, rounds, MIB, budget, chunk, 16, 8));
                }
            }
            rows.add(new Capacity(executors, rounds, MIB, BUDGETS[0], 16 * KIB, 2, 8));
            rows.add(new Capacity(executors, rounds, MIB, BUDGETS[1], 16 * KIB, 2, 8));
            rows.add(new Capacity(executors, rounds, MIB, BUDGETS[2], 16 * KIB, 2, 8));
            rows.add(new Capacity(executors, rounds, MIB, BUDGETS[0], 64 * KIB, 16, 64));
            rows.add(new Capacity(executors, rounds, MIB, BUDGETS[1], 64 * KIB, 16, 64));
        }
        for (long budget : BUDGETS) {
            rows.add(new Capacity(100, 2, 16 * MIB, budget, 64 * KIB, 16, 8));
        }
        for (int executors : new int[] {100, 1_000, 10_000}) {
            for (long budget : BUDGETS) {
                rows.add(new Capacity(executors, 20, KIB, budget, 64 * KIB, 16, 8));
                rows.add(new Capacity(executors, 20, KIB, budget, 16 * KIB, 2, 8));
            }
        }
        rows.add(new Capacity(10_000, 2, MIB, 1_280L * MIB, 16 * KIB, 2, 8));
        rows.add(new Capacity(10_000, 20, KIB, 1_280L * MIB, 16 * KIB, 2, 8));
        System.out.println(CapacityFigures.heading());
        for (Capacity row : rows) {
            CapacityFigures figures = new CapacityRun(row).run();
            System.out.println(figures.row());
            assertEquals(figures.admitted(), figures.accepted());
        }
    }
}
