// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Eight tasks of 64 MiB each, on two executors of two slots each: eight times as many bytes as the driver may have in chunks. */
@Full
final class BudgetTest {

    private static final int TASKS = 8;
    private static final int CHUNK = 65_536;
    private static final int BLOCKS = (64 << 20) / Values.BLOCK;

    @TempDir
    Path directory;

    /** Four windows of 512 chunks are twice the driver's budget, and two are four times an executor's. */
    @ParameterizedTest
    @ValueSource(ints = {8, 512})
    void chunksStayWithinTheBudgetsWhateverTheWindow(int window) throws Exception {
        try (Standalone standalone = Standalone.start(directory, 2, "1g");
                Cluster cluster = Cluster.start(conf(standalone, window))) {
            cluster.awaitExecutors();
            Values.assertBlocks(Values.blocks(cluster.spark(), TASKS, BLOCKS).collect(), TASKS, BLOCKS);
            assertEquals(TASKS, cluster.received());
            cluster.assertNothingIsLeft();
            long peak = Counts.published("memory.peakLiveBytes");
            assertTrue(peak >= Math.min(2L * window * CHUNK, 48L << 20), () -> "only " + peak + " bytes were used");
            System.out.println("window " + window + ": " + peak + " bytes of chunks on the driver, "
                    + cluster.executors().peakLiveBytes() + " on an executor");
        }
    }

    private static SparkConf conf(Standalone standalone, int window) {
        return Cluster.conf(standalone.url())
                .set("spark.executor.cores", "2")
                .set("spark.tailrace.window", String.valueOf(window))
                .set("spark.tailrace.driver.memory", "64m");
    }
}
