// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Times the same collects in two applications of one standalone cluster, which take turns: each round asks both, and the next one
 * asks them the other way round.
 */
final class Elapsed {

    private static final int WARM_ROUNDS = 5;
    private static final int ROUNDS = Integer.getInteger("tailrace.spark.rounds", 15);
    private static final int DRIVER = 3072;
    private static final int EXECUTOR = 2048;
    /** Many, so that it matters little how evenly they lie. */
    private static final int TABLE_TASKS = 24;

    private Elapsed() {}

    static void compare(List<Load> loads) throws IOException {
        System.out.println(
                "| load | Spark, ms | with the plugin, ms | times as fast | rounds |\n|---|---|---|---|---|");
        // Each application has an executor on either worker.
        Path directory = Path.of(System.getProperty("java.io.tmpdir"));
        try (Standalone cluster = Standalone.start(directory, 2, 2 * EXECUTOR + "m")) {
            Runtime.getRuntime().addShutdownHook(new Thread(cluster::close)); // when it is interrupted
            try (ChildJvm stock = ChildJvm.application(DRIVER, Way.STOCK, cluster.url(), EXECUTOR, TABLE_TASKS);
                    ChildJvm tailrace =
                            ChildJvm.application(DRIVER, Way.TAILRACE, cluster.url(), EXECUTOR, TABLE_TASKS)) {
                for (Load load : loads) {
                    compare(load, stock, tailrace);
                }
            }
        }
    }

    private static void compare(Load load, ChildJvm stock, ChildJvm tailrace) {
        double[] stockMillis = new double[ROUNDS];
        double[] tailraceMillis = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        for (int i = -WARM_ROUNDS; i < ROUNDS; i++) {
            double first = (i & 1) == 0 ? stock.run(load) : tailrace.run(load);
            double second = (i & 1) == 0 ? tailrace.run(load) : stock.run(load);
            double ofStock = ((i & 1) == 0 ? first : second) / 1e6;
            double ofTailrace = ((i & 1) == 0 ? second : first) / 1e6;
            System.err.printf("%s %d: %.0f ms, %.0f ms%n", load, i, ofStock, ofTailrace);
            if (i >= 0) {
                stockMillis[i] = ofStock;
                tailraceMillis[i] = ofTailrace;
                ratios[i] = ofStock / ofTailrace;
            }
        }
        System.out.printf(
                "| %s | %.0f | %.0f | %.2f | %d |%n",
                load, median(stockMillis), median(tailraceMillis), median(ratios), ROUNDS);
    }

    private static double median(double[] odd) {
        double[] sorted = odd.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
