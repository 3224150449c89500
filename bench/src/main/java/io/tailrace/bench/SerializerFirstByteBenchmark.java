// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultWriter;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
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

/** As {@link ValueFirstByteBenchmark}, of rows sent one by one by another serializer; of Arrow, of batches of 4,096 rows. */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class SerializerFirstByteBenchmark {

    @Param("2000000")
    int values;

    @Param({"Kryo", "Fory", "ObjectOutputStream"})
    String serializer;

    private FirstByte encoding;
    private List<Workloads.Row> rows;
    private ValueCodec<Iterator<Workloads.Row>> each;
    private ResultWriter writer;

    @Setup(Level.Trial)
    public void open() {
        encoding = new FirstByte(null);
        rows = Values.rows(values).results().get(0);
        each = SerializerRatios.each(serializer, Workloads.Row.class);
    }

    @TearDown(Level.Trial)
    public void close() {
        encoding.close();
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
}
