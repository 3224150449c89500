// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.bench.RatioTable.Pace;
import java.time.Duration;
import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs, once and briefly, on little data: a figure is nobody's aim here. */
class BenchmarksRunTest {

    @Test
    void everyBenchmarkRunsOnce() throws RunnerException {
        Options brief = new OptionsBuilder()
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .shouldFailOnError(true)
                .param("mebibytes", "1")
                .param("values", "1000")
                .param("count", "" + Workloads.ROWS)
                .verbosity(VerboseMode.SILENT)
                .build();
        Collection<RunResult> results = new Runner(brief).run();
        assertTrue(results.size() >= 66, results.size() + " ran");
        for (RunResult result : results) {
            assertTrue(
                    result.getPrimaryResult().getScore() > 0, result.getParams().id());
        }
    }

    /** Its warm-up, once; no round of it, which would wait for quiet. */
    @ParameterizedTest
    @FieldSource("io.tailrace.bench.Ratios#GROUPS")
    void everyGroupOfRatiosRunsOnce(String group) throws Exception {
        Ratios.run(group, new Pace(1, 0, Duration.ZERO), 1, 1_000);
    }

    @Test
    void eachContenderStartsCold() throws Exception {
        ColdStart.main(new String[] {"1", "100"});
    }
}
