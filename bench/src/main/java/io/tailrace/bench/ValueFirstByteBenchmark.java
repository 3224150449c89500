// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.Codec;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Derivation;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Iterator;
import java.util.List;
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
 * How long, from opening a result of two million rows by a derived codec, until its first payload byte is with the sink? Warm,
 * in microseconds; a list says how many they are, what is sent by {@code each} does not. What follows is cut off and cleaned up
 * outside the measurement. Text is taken in place.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--add-opens=java.base/java.lang=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class ValueFirstByteBenchmark {

    @Param("2000000")
    int values;

    @Param({"false", "true"})
    boolean threaded;

    private FirstByte encoding;
    private ExecutorService sending;
    private List<Workloads.Row> rows;
    private ValueCodec<Iterator<Workloads.Row>> each;
    private ValueCodec<List<Workloads.Row>> list;
    private ResultWriter writer;

    @Setup(Level.Trial)
    public void open() {
        sending = Executors.newCachedThreadPool();
        encoding = new FirstByte(threaded ? sending : null);
        rows = Values.rows(values).results().get(0);
        Codec<Workloads.Row> row =
                Derivation.builder(MethodHandles.lookup()).build().of(Workloads.Row.class);
        each = Codecs.each(row);
        list = Codecs.value(Codecs.list(row));
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
    public ResultWriter each() throws IOException {
        writer = encoding.beginEach(each, rows);
        return writer;
    }

    @Benchmark
    public ResultWriter list() throws IOException {
        writer = encoding.beginList(list, rows);
        return writer;
    }
}
