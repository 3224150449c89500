// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many results of 1 KiB a second go from objects to objects over one connection, 2,000 of them under way, beside unary
 * calls of gRPC with the same bytes? With {@code -prof gc}: what all threads of both ends allocate for each.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(Values.SMALL_RESULTS)
@Fork(value = 1, jvmArgsAppend = "--add-opens=java.base/java.lang=ALL-UNNAMED")
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class SmallResultsBenchmark {

    @Param({"multiplexed", "gRPC, direct executor", "gRPC, its own executor", "codec alone"})
    String transport;

    @Param("" + Values.COUNT)
    int values;

    private SmallResults results;

    @Setup(Level.Trial)
    public void make() throws Exception {
        Values<Workloads.Row> rows = Values.smallResults(values);
        results = switch (transport) {
            case "multiplexed" -> SmallResults.multiplexed(rows, 1);
            case "gRPC, direct executor" -> SmallResults.grpc(rows, true);
            case "gRPC, its own executor" -> SmallResults.grpc(rows, false);
            default -> SmallResults.codecAlone(rows);
        };
    }

    @TearDown(Level.Trial)
    public void close() {
        results.close();
    }

    @Benchmark
    public long send() throws Exception {
        return results.run();
    }
}
