// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.codec.arrow.ArrowCodecs;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.vector.ipc.ArrowReader;
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
 * As {@link ValueFirstByteBenchmark}, of rows sent one by one by another serializer; of Arrow, of as many rows in batches of
 * 65,536 at most.
 */
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

    @Param({"Kryo", "Kryo by hand", "Fory", "ObjectOutputStream", "Arrow"})
    String serializer;

    private FirstByte encoding;
    private List<Workloads.Row> rows;
    private ValueCodec<Iterator<Workloads.Row>> each;
    private ArrowBatches batches;
    private ValueCodec<ArrowReader> arrow;
    private ResultWriter writer;

    @Setup(Level.Trial)
    public void open() {
        encoding = new FirstByte(null);
        if (serializer.equals("Arrow")) {
            batches = new ArrowBatches(Math.min(values, 65_536), 1);
            arrow = ArrowCodecs.batches(batches.allocator());
        } else {
            rows = Values.rows(values).results().get(0);
            each = SerializerRatios.each(serializer, Workloads.Row.class);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        encoding.close();
        if (batches != null) {
            batches.close();
        }
    }

    @TearDown(Level.Invocation)
    public void giveUp() {
        writer.close();
    }

    @Benchmark
    public ResultWriter first() throws IOException {
        writer = batches == null
                ? encoding.beginEach(each, rows)
                : encoding.begin(arrow, batches.source(() -> !encoding.arrived()));
        return writer;
    }
}
