// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import static io.tailrace.bench.Workloads.MEBIBYTES;

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
 * How fast does one thread read a stream in memory back, verified to its end? In MiB (or rows) a second. Arrays and blobs
 * are read into arrays that exist, rows are made anew.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(MEBIBYTES)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DecodeBenchmark {

    /** A stream of longs. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Longs {
        @Param("" + MEBIBYTES)
        int mebibytes;

        Decoding stream;
        long[] into;

        @Setup(Level.Trial)
        public void encode() throws IOException {
            into = Workloads.longs(mebibytes);
            stream = Decoding.ofLongs(into);
        }

        @TearDown(Level.Trial)
        public void close() {
            stream.close();
        }
    }

    /** A stream of half-compressible blobs, plain or compressed. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Blobs {
        @Param("" + MEBIBYTES)
        int mebibytes;

        @Param({"false", "true"})
        boolean lz4;

        Decoding stream;
        final byte[] into = new byte[Workloads.SMALL_BLOB];

        @Setup(Level.Trial)
        public void encode() throws IOException {
            byte[][] blobs = Workloads.blobs(mebibytes, Workloads.SMALL_BLOB);
            stream = lz4 ? Decoding.ofBlobsLz4(blobs) : Decoding.ofBlobs(blobs);
        }

        @TearDown(Level.Trial)
        public void close() {
            stream.close();
        }
    }

    /** A stream of rows. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Rows {
        @Param("" + Workloads.ROWS)
        int count;

        Decoding stream;
        Workloads.Row[] into;

        @Setup(Level.Trial)
        public void encode() throws IOException {
            into = Workloads.rows(count);
            stream = Decoding.ofRows(into);
        }

        @TearDown(Level.Trial)
        public void close() {
            stream.close();
        }
    }

    @Benchmark
    public long longs(Longs of) throws IOException {
        return of.stream.longs(of.into);
    }

    @Benchmark
    public long blobs(Blobs of) throws IOException {
        return of.stream.blobs(of.into);
    }

    /** Rows a second. */
    @Benchmark
    @OperationsPerInvocation(Workloads.ROWS)
    public long rows(Rows of) throws IOException {
        return of.stream.rows(of.into);
    }
}
