// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.io.IOException;
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
 * How fast does one thread read typed values back from memory, beside the fastest others? In values a second. Tailrace reads
 * frames, verified to their end; the others their bare bytes. Text is taken in place.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(Values.COUNT)
@Fork(value = 1, jvmArgsAppend = "--add-opens=java.base/java.lang=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ValueDecodeBenchmark {

    /** The same values for each. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Contenders {
        @Param({"rows", "lineitem", "lines"})
        String workload;

        @Param("" + Values.COUNT)
        int values;

        ValueContender<?> tailrace;
        ValueContender<?> kryo;
        ValueContender<?> kryoByHand;
        ValueContender<?> fory;

        @Setup(Level.Trial)
        public void make() throws IOException {
            Values<?> made = Values.named(workload, values);
            tailrace = ValueContender.named("Tailrace", made);
            kryo = ValueContender.named("Kryo", made);
            kryoByHand = ValueContender.named("Kryo by hand", made);
            fory = ValueContender.named("Fory", made);
        }

        @TearDown(Level.Trial)
        public void close() {
            tailrace.close();
            kryo.close();
            kryoByHand.close();
            fory.close();
        }
    }

    @Benchmark
    public long tailrace(Contenders of) throws IOException {
        return of.tailrace.decode();
    }

    @Benchmark
    public long kryo(Contenders of) throws IOException {
        return of.kryo.decode();
    }

    @Benchmark
    public long kryoByHand(Contenders of) throws IOException {
        return of.kryoByHand.decode();
    }

    @Benchmark
    public long fory(Contenders of) throws IOException {
        return of.fory.decode();
    }
}
