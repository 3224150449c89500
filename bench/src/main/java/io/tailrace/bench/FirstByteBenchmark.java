// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultWriter;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long, from opening a result, until its first payload byte is with the sink? Warm, in microseconds, for a result of
 * 1 KiB, which is one chunk, and of 256 MiB. What follows is cut off and cleaned up outside the measurement.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class FirstByteBenchmark {

    @Param({"1", "262144"})
    int kibibytes;

    @Param({"false", "true"})
    boolean threaded;

    private FirstByte encoding;
    private ExecutorService sending;
    private long[] value;
    private ResultWriter writer;

    @Setup(Level.Trial)
    public void open() {
        sending = Executors.newCachedThreadPool();
        encoding = new FirstByte(threaded ? sending : null);
        value = new long[kibibytes << 7];
    }

    @TearDown(Level.Trial)
    public void close() {
        encoding.close();
        sending.shutdown();
    }

    @TearDown(Level.Invocation)
    public void giveUp() {
        writer.close();
    }

    @Benchmark
    public ResultWriter firstByte() throws IOException {
        writer = encoding.begin(value);
        return writer;
    }
}
