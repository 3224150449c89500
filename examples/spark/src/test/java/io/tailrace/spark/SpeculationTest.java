// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaFutureAction;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two attempts of one task. */
@Full
final class SpeculationTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"WRITTEN", "READ", "ACCEPTED"})
    void copyWinsOverATaskThatHasStreamedToo(MidStream.Where where) throws Exception {
        try (Standalone standalone = Standalone.start(directory, 1, "1g");
                Cluster cluster = Cluster.start(conf(standalone))) {
            cluster.awaitExecutors();
            JavaFutureAction<List<MidStream>> job =
                    MidStream.values(cluster.spark(), directory, where).collectAsync();
            MidStream.assertAll(job.get());
            MidStream.letGo(directory);
            cluster.assertNothingIsLeft();
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
        }
    }

    private static SparkConf conf(Standalone standalone) {
        return Cluster.conf(standalone.url())
                .set("spark.speculation", "true")
                .set("spark.speculation.interval", "100ms")
                .set("spark.speculation.quantile", "0.5")
                .set("spark.speculation.multiplier", "1.1");
    }
}
