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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What does a chunk's hand-off from the encoding to the sending thread cost? In nanoseconds a chunk. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(Passing.COUNT)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class HandoffBenchmark {

    private Passing passing;

    @Setup(Level.Trial)
    public void start() {
        passing = new Passing();
    }

    @TearDown(Level.Trial)
    public void stop() {
        passing.close();
    }

    @Benchmark
    public long handoff() throws Exception {
        return passing.handoff(Passing.COUNT);
    }

    @Benchmark
    public long bareQueue() throws Exception {
        return passing.bareQueue(Passing.COUNT);
    }

    /** There and back, nothing else in flight. */
    @Benchmark
    public long roundTrip() throws Exception {
        return passing.roundTrips(Passing.COUNT);
    }
}
