// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import static io.tailrace.bench.Workloads.MEBIBYTES;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What does the machine allow, on the same data? In MiB a second. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(MEBIBYTES)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class FloorBenchmark {

    private final Floors floors = new Floors();

    @Benchmark
    public long copyLongs(EncodeBenchmark.Arrays of) {
        return floors.copy(of.longs);
    }

    @Benchmark
    public long copyAndChecksumLongs(EncodeBenchmark.Arrays of) {
        return floors.copyAndChecksum(of.longs);
    }

    @Benchmark
    public long copyBlobs(EncodeBenchmark.Blobs of) {
        return floors.copy(of.blobs);
    }

    @Benchmark
    public long checksumBlobs(EncodeBenchmark.Blobs of) {
        return floors.checksum(of.blobs);
    }

    @Benchmark
    public long lz4Blobs(EncodeBenchmark.Blobs of) {
        return floors.lz4(of.blobs);
    }
}
