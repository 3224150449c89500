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

/** How fast does one thread encode, into a sink that drops all? In MiB (or rows, or results) a second. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(MEBIBYTES)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class EncodeBenchmark {

    private static final byte[] SMALL = new byte[1 << 10];

    /** Shared by all: the plain encoder, the compressing one and where they write. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Encoders {
        Encoding plain;
        Encoding lz4;
        NullSink sink;

        @Setup(Level.Trial)
        public void open() {
            plain = Encoding.plain();
            lz4 = Encoding.lz4();
            sink = new NullSink();
        }

        @TearDown(Level.Trial)
        public void close() {
            plain.close();
            lz4.close();
        }
    }

    /** Primitive arrays. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Arrays {
        @Param("" + MEBIBYTES)
        int mebibytes;

        long[] longs;
        double[] doubles;

        @Setup(Level.Trial)
        public void make() {
            longs = Workloads.longs(mebibytes);
            doubles = Workloads.doubles(mebibytes);
        }
    }

    /** Half-compressible blobs of one size. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Blobs {
        @Param("" + MEBIBYTES)
        int mebibytes;

        @Param({"" + Workloads.SMALL_BLOB, "" + Workloads.LARGE_BLOB})
        int blobBytes;

        byte[][] blobs;

        @Setup(Level.Trial)
        public void make() {
            blobs = Workloads.blobs(mebibytes, blobBytes);
        }
    }

    /** Rows as objects. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Rows {
        @Param("" + Workloads.ROWS)
        int count;

        Workloads.Row[] rows;

        @Setup(Level.Trial)
        public void make() {
            rows = Workloads.rows(count);
        }
    }

    @Benchmark
    public long longs(Encoders with, Arrays of) throws IOException {
        return with.plain.longs(of.longs, with.sink);
    }

    @Benchmark
    public long longsOneByOne(Encoders with, Arrays of) throws IOException {
        return with.plain.longsOneByOne(of.longs, with.sink);
    }

    @Benchmark
    public long doubles(Encoders with, Arrays of) throws IOException {
        return with.plain.doubles(of.doubles, with.sink);
    }

    @Benchmark
    public long blobs(Encoders with, Blobs of) throws IOException {
        return with.plain.blobs(of.blobs, with.sink);
    }

    @Benchmark
    public long blobsOutOfBand(Encoders with, Blobs of) throws IOException {
        return with.plain.blobsOutOfBand(of.blobs, with.sink);
    }

    @Benchmark
    public long blobsLz4(Encoders with, Blobs of) throws IOException {
        return with.lz4.blobs(of.blobs, with.sink);
    }

    @Benchmark
    public long blobsLz4OutOfBand(Encoders with, Blobs of) throws IOException {
        return with.lz4.blobsOutOfBand(of.blobs, with.sink);
    }

    /** Rows a second. */
    @Benchmark
    @OperationsPerInvocation(Workloads.ROWS)
    public long rows(Encoders with, Rows of) throws IOException {
        return with.plain.rows(of.rows, with.sink);
    }

    /** Results of 1 KiB a second. */
    @Benchmark
    @OperationsPerInvocation(1)
    public long smallResults(Encoders with) throws IOException {
        return with.plain.small(SMALL, with.sink);
    }
}
