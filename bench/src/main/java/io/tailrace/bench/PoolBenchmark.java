// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
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
 * What does a chunk's memory cost, taken and given back on one thread, or given back by another, against Netty's pools?
 * In nanoseconds a chunk; across threads it includes the bare queue, which {@link HandoffBenchmark} measures alone.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PoolBenchmark {

    /** Our pool, with one result's window of 8 and its reserve of 1. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Ours {
        ChunkPool pool;
        ChunkWindow window;
        Passing passing;

        @Setup(Level.Trial)
        public void open() throws IOException {
            pool = ChunkPool.builder().build();
            window = pool.open("bench", Passing.CAPACITY, 1);
            passing = new Passing();
        }

        @TearDown(Level.Trial)
        public void close() {
            passing.close();
            window.close();
            pool.close();
        }
    }

    /** One of Netty's allocators. */
    @State(Scope.Thread)
    @SuppressWarnings("NullAway.Init")
    public static class Netty {
        @Param({"pooled heap", "pooled direct", "adaptive heap"})
        String kind;

        ByteBufAllocator allocator;
        Passing passing;

        @Setup(Level.Trial)
        public void open() {
            allocator = kind.startsWith("pooled")
                    ? new PooledByteBufAllocator(kind.endsWith("direct"))
                    : new AdaptiveByteBufAllocator(false);
            passing = new Passing();
        }

        @TearDown(Level.Trial)
        public void close() {
            passing.close();
        }

        ByteBuf allocate() {
            return allocator.buffer(ChunkPool.DEFAULT_CHUNK_BYTES, ChunkPool.DEFAULT_CHUNK_BYTES);
        }
    }

    @Benchmark
    public boolean oneThread(Ours ours) throws IOException {
        return ours.window.acquire().release();
    }

    @Benchmark
    public boolean oneThreadNetty(Netty netty) {
        return netty.allocate().release();
    }

    @Benchmark
    @OperationsPerInvocation(Passing.COUNT)
    public long acrossThreads(Ours ours) throws Exception {
        return ours.passing.bareQueue(Passing.COUNT, ours.window::acquire, ReferenceCounted::release);
    }

    @Benchmark
    @OperationsPerInvocation(Passing.COUNT)
    public long acrossThreadsNetty(Netty netty) throws Exception {
        return netty.passing.bareQueue(Passing.COUNT, netty::allocate, ReferenceCounted::release);
    }
}
