// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import static io.tailrace.bench.Workloads.MEBIBYTES;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
 * Does encoding slow sending down? Encode and send over loopback TCP, to a receiver that drops all, against the same
 * number of bytes from one direct buffer. In MiB a second; the floor is the best of its block sizes.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@OperationsPerInvocation(MEBIBYTES)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LoopbackBenchmark {

    /** The connection. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Connection {
        Loopback loopback;

        @Setup(Level.Trial)
        public void open() throws IOException {
            loopback = new Loopback();
        }

        @TearDown(Level.Trial)
        public void close() throws IOException {
            loopback.close();
        }
    }

    /** The encoder, in one of its modes. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Encoder {
        @Param({"65536", "262144"})
        int chunkBytes;

        @Param({"false", "true"})
        boolean threaded;

        @Param({"8", "32"})
        int window;

        Encoding encoding;
        private ExecutorService sending;

        @Setup(Level.Trial)
        public void open() {
            sending = Executors.newCachedThreadPool();
            encoding = Encoding.of(chunkBytes, window, threaded ? sending : null);
        }

        @TearDown(Level.Trial)
        public void close() {
            encoding.close();
            sending.shutdown();
        }
    }

    /** What the floor sends. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Raw {
        @Param("" + MEBIBYTES)
        int mebibytes;

        @Param({"16384", "65536", "262144", "1048576"})
        int blockBytes;

        ByteBuffer block;

        @Setup(Level.Trial)
        public void make() {
            block = ByteBuffer.allocateDirect(blockBytes);
        }
    }

    @Benchmark
    public long raw(Connection over, Raw of) throws IOException {
        return over.loopback.sendRaw((long) of.mebibytes << 20, of.block);
    }

    @Benchmark
    public long longs(Connection over, Encoder with, EncodeBenchmark.Arrays of) throws IOException {
        with.encoding.longs(of.longs, over.loopback.sink());
        return over.loopback.awaitReceived();
    }

    @Benchmark
    public long blobs(Connection over, Encoder with, EncodeBenchmark.Blobs of) throws IOException {
        with.encoding.blobs(of.blobs, over.loopback.sink());
        return over.loopback.awaitReceived();
    }

    @Benchmark
    public long blobsOutOfBand(Connection over, Encoder with, EncodeBenchmark.Blobs of) throws IOException {
        with.encoding.blobsOutOfBand(of.blobs, over.loopback.sink());
        return over.loopback.awaitReceived();
    }
}
