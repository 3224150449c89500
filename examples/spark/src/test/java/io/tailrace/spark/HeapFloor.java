// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * Finds the smallest heaps, in steps of so many MiB, in which one collect succeeds: each try in fresh JVMs, one executor with one core.
 */
final class HeapFloor {

    private static final int STEP = Integer.getInteger("tailrace.spark.step", 32);
    private static final int AMPLE = 2048;
    private static final int LIKELY = 768;
    /** A JVM that is short of heap may go on for long; time of the processors, of which others may take most. */
    private static final Duration MOST = Duration.ofMinutes(2);

    private HeapFloor() {}

    static void find(List<Load> loads, List<Way> ways) throws IOException, InterruptedException {
        System.out.println("| load | | executor, MiB | driver, MiB |\n|---|---|---|---|");
        for (Load load : loads) {
            for (Way way : ways) {
                boolean sane = succeeds(way, load, AMPLE, AMPLE);
                String executor = sane ? floor(heap -> succeeds(way, load, AMPLE, heap)) : "-";
                String driver = sane ? floor(heap -> succeeds(way, load, heap, AMPLE)) : "-";
                System.out.printf("| %s | %s | %s | %s |%n", load, way, executor, driver);
            }
        }
    }

    private interface Try {
        boolean succeedsWith(int mebibytes) throws IOException, InterruptedException;
    }

    private static String floor(Try tried) throws IOException, InterruptedException {
        int fails = 0; // in steps
        int succeeds = AMPLE / STEP;
        while (succeeds - fails > 1) {
            // Low heaps are where the answer is.
            int middle = fails == 0 && succeeds == AMPLE / STEP ? LIKELY / STEP : (fails + succeeds) / 2;
            if (tried.succeedsWith(middle * STEP)) {
                succeeds = middle;
            } else {
                fails = middle;
            }
        }
        return String.valueOf(succeeds * STEP);
    }

    private static boolean succeeds(Way way, Load load, int driver, int executor)
            throws IOException, InterruptedException {
        try (ChildJvm application = ChildJvm.application(driver, way, "local-cluster[1,1,4096]", executor, 1)) {
            boolean success = application.succeeds(load, MOST);
            System.err.println(way + " " + load + " driver " + driver + "m executor " + executor + "m: " + success);
            return success;
        }
    }
}
