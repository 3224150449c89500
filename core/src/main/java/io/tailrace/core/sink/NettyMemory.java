// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.tailrace.core.chunk.ChunkPool;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The direct memory that Netty's transport copies heap chunks into before it writes them: an allocator of our own,
 * counted, small, and without caches per thread. A process makes one, gives it to all its {@link NettySink}s and keeps it:
 * one for each connection would pile up regions that only a garbage collection gives back.
 *
 * <p>Each sink has at most k chunks inside Netty, so all of them together use at most connections × k × chunk bytes
 * here, rounded up to whole regions of {@link #regionBytes}; one region stays while this is open. Channels of sinks
 * also read into this memory, as much as Netty's reads and the embedder's handlers hold. TLS by the JDK writes its records
 * into heap memory: that comes from regions here too, and is counted.
 *
 * <p><b>Ownership.</b> Buffers belong to whom Netty gave them; they may outlive the close.
 *
 * <p><b>Threads.</b> Any; the allocator is Netty's, with one lock.
 */
public final class NettyMemory implements AutoCloseable {

    private static final int PAGE = 8 << 10;
    private static final int SMALLEST_REGION = 64 << 10;
    private static final int USUAL_REGION = 4 << 20;

    /**
     * A quarter holds a read, the part of a record that the last one ended in joined with it, and what comes of both: Netty gives an
     * empty region back at once, but not one that was never more than a quarter full.
     */
    private static final int SMALLEST_TLS_REGION = 4 << 20;

    private final int chunkBytes;
    private final PooledByteBufAllocator allocator;

    /** Keeps one region: Netty frees an empty one, and making it anew for every burst costs more than the copying. */
    private final ByteBuf keeper;

    private final AtomicBoolean closed = new AtomicBoolean();

    private NettyMemory(int chunkBytes, int regionBytes) {
        this.chunkBytes = chunkBytes;
        int order = Integer.numberOfTrailingZeros(regionBytes / PAGE);
        allocator = new PooledByteBufAllocator(true, 1, 1, PAGE, order, 0, 0, false);
        keeper = allocator.directBuffer(1, 1);
    }

    /** For sinks whose chunks come from pools of that {@link ChunkPool#chunkBytes()} or less. */
    public static NettyMemory forChunks(int chunkBytes) {
        return new NettyMemory(chunkBytes, regionFor(chunkBytes));
    }

    /**
     * The same where Netty's TLS lies between: it joins what it has read with the part of a record that came before. Regions that
     * do not hold several of its buffers are made anew, and cleared by the JVM, for every few reads.
     */
    public static NettyMemory forTls(int chunkBytes) {
        return new NettyMemory(chunkBytes, Math.max(regionFor(chunkBytes), SMALLEST_TLS_REGION));
    }

    /** Room for four chunks and small buffers beside them, where that is not much. */
    private static int regionFor(int chunkBytes) {
        if (chunkBytes < 1 || chunkBytes > ChunkPool.MAX_CHUNK_BYTES) {
            throw new IllegalArgumentException("chunk of " + chunkBytes + " bytes: 1 to " + ChunkPool.MAX_CHUNK_BYTES);
        }
        int chunk = Math.max(SMALLEST_REGION, Integer.highestOneBit(2 * chunkBytes - 1));
        return Math.max(chunk, Math.min(8 * chunk, USUAL_REGION));
    }

    int chunkBytes() {
        return chunkBytes;
    }

    /** What a channel is to be given. */
    public ByteBufAllocator allocator() {
        return allocator;
    }

    /** Memory now taken from the JVM, in whole regions: direct, and heap where TLS is spoken. */
    public long usedBytes() {
        return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
    }

    /** The part of it that is in buffers now, rounded up to what the allocator gives out. */
    public long lentBytes() {
        return allocator.pinnedDirectMemory() + allocator.pinnedHeapMemory();
    }

    /** What memory is taken in, except for buffers larger than that. */
    public int regionBytes() {
        return allocator.metric().chunkSize();
    }

    /**
     * Lets the kept region go. Netty itself keeps a region that a small buffer was in, until the threads that used this memory
     * have ended and it is collected; {@link #usedBytes} tells.
     */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            keeper.release();
        }
    }
}
