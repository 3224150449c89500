// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCounted;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.zip.Checksum;
import org.jspecify.annotations.Nullable;

/**
 * A pooled, array-backed {@link ByteBuf} of fixed capacity, in which frames are written in place.
 *
 * <p>It may carry an <em>out-of-band body</em>: bytes of the caller's own that follow the chunk's readable bytes on
 * the wire. The slab then holds only their frame header, and stays charged to window and budget until they are sent.
 *
 * <p><b>Ownership.</b> One reference when acquired. The last {@link #release()}, on any thread, gives the slab back to
 * its pool and the charge back to its window; the object is used again for a later acquire, so a chunk must not be
 * touched after its release. A body is referenced, never owned; where it has an owner, that is retained with it.
 *
 * <p><b>Threads.</b> One thread at a time; passing a chunk on must be a safe publication, as the hand-off's is. Holder
 * and stage are racy notes for the ledger's report: read by whoever asks, plainly, and what they lead to is final.
 */
public final class Chunk extends UnpooledHeapByteBuf {

    private static final Logger LOG = System.getLogger(Chunk.class.getName());
    private static final ByteBufAllocator LOOSE = new UnpooledByteBufAllocator(false, true);

    private final @Nullable ChunkPool pool;
    private final int number;
    private final byte[] slab;
    private @Nullable ChunkWindow holder;
    private @Nullable Object stage;
    private @Nullable ByteBuffer bodySource;
    private @Nullable ReferenceCounted bodyOwner;
    private @Nullable ByteBuffer bodyView;
    private int bodyFrom;
    private int bodyBytes;
    private volatile @Nullable Throwable acquiredAt;
    private volatile @Nullable Throwable releasedAt;

    Chunk(ChunkPool pool, ByteBufAllocator allocator, byte[] slab, int number) {
        super(allocator, slab, slab.length);
        this.pool = pool;
        this.number = number;
        this.slab = slab;
        clear();
        setRefCnt(0);
    }

    private Chunk(byte[] slab) {
        super(LOOSE, slab, slab.length);
        this.pool = null;
        this.number = -1;
        this.slab = slab;
        clear();
    }

    /**
     * A chunk outside any pool, for the one frame that must be written when no chunk can be had: the failure. It is
     * on no ledger; whoever makes one counts it as memory outside the pool.
     */
    public static Chunk loose(int capacity) {
        return new Chunk(new byte[capacity]);
    }

    /**
     * Attaches an out-of-band body: {@code length} bytes of {@code source} from its index {@code from}, which must not
     * change until this chunk is released. Nor may the source's limit. Parts of one source are attached and summed in their
     * order. The owner of its memory, if any, is retained until then.
     */
    public void attach(ByteBuffer source, int from, int length, @Nullable ReferenceCounted owner) {
        Objects.checkFromIndexSize(from, length, source.limit());
        if (owner != null) {
            owner.retain();
        }
        bodyOwner = owner;
        bodySource = source;
        bodyFrom = from;
        bodyBytes = length;
    }

    /** How many bytes follow this chunk's own on the wire. */
    public int bodyBytes() {
        return bodyBytes;
    }

    /** The bytes that follow this chunk's own on the wire, or null. The view's position and limit are the sink's. */
    public @Nullable ByteBuffer body() {
        ByteBuffer source = bodySource;
        if (bodyView == null && source != null) {
            bodyView = source.slice(bodyFrom, bodyBytes); // made only for a sink that wants a view
        }
        return bodyView;
    }

    /** Updates the checksum with the body. */
    public void updateBody(Checksum checksum) {
        ByteBuffer source = bodySource;
        if (source == null) {
            return;
        }
        if (source.hasArray()) {
            checksum.update(source.array(), source.arrayOffset() + bodyFrom, bodyBytes);
        } else {
            // Instead of a view for each cut. Cuts before this one end below the limit, so who makes views of them sees
            // no difference.
            int limit = source.limit();
            source.limit(bodyFrom + bodyBytes).position(bodyFrom);
            checksum.update(source);
            source.limit(limit);
        }
    }

    /** Bytes this chunk puts on the wire: its readable bytes and its body's. */
    public int wireBytes() {
        return readableBytes() + bodyBytes;
    }

    /** Whose share of the pool it is charged to; null outside any pool. For who holds a reference. */
    public @Nullable ChunkWindow window() {
        return holder;
    }

    @Override
    public ByteBuf touch(Object hint) {
        stage = hint;
        return this;
    }

    @Override
    public ByteBuf capacity(int newCapacity) {
        if (newCapacity == capacity()) {
            return this;
        }
        throw new UnsupportedOperationException(
                "a chunk's capacity is fixed: " + capacity() + ", asked " + newCapacity);
    }

    @Override
    public boolean release() {
        try {
            return super.release();
        } catch (IllegalReferenceCountException e) {
            throw doubleRelease(e);
        }
    }

    @Override
    protected void deallocate() {
        ChunkWindow window = holder;
        bodySource = null;
        bodyView = null;
        bodyBytes = 0;
        stage = null; // a hint of Netty's own would keep its channel
        ReferenceCounted owner = bodyOwner;
        if (owner != null) {
            bodyOwner = null;
            releaseOwner(owner); // first: who waits for this chunk may then count on it
        }
        if (pool != null && window != null) {
            holder = null;
            pool.takeBack(this, window);
        }
    }

    private static void releaseOwner(ReferenceCounted owner) {
        try {
            owner.release();
        } catch (RuntimeException | Error e) { // or the chunk would be lost with it
            LOG.log(Level.ERROR, "the owner of a body sent by reference could not be released", e);
        }
    }

    void begin(ChunkWindow window, boolean paranoid) {
        holder = window;
        stage = ChunkStage.WRITING;
        clear();
        if (paranoid) {
            acquiredAt = new Throwable("acquired by " + Thread.currentThread().getName());
        }
        resetRefCnt();
    }

    /** In paranoid mode a released object is never used again, so that a second release always meets a dead one. */
    Chunk successor(ChunkPool owner) {
        return new Chunk(owner, alloc(), slab, number); // array() refuses: this chunk is dead already
    }

    void markReleased() {
        releasedAt = new Throwable("released by " + Thread.currentThread().getName());
    }

    int number() {
        return number;
    }

    @Nullable
    String describeIfOut() {
        ChunkWindow window = holder;
        if (window == null) {
            return null;
        }
        Throwable origin = acquiredAt;
        return "chunk " + number + " held by " + window.holder() + " at " + stage
                + (origin == null ? "" : trace(origin));
    }

    private IllegalReferenceCountException doubleRelease(IllegalReferenceCountException e) {
        Throwable acquired = acquiredAt;
        Throwable released = releasedAt;
        if (acquired == null || released == null) {
            return e;
        }
        IllegalReferenceCountException told = new IllegalReferenceCountException(
                "chunk " + number + " released twice" + trace(acquired) + trace(released));
        told.initCause(released);
        released.addSuppressed(acquired);
        return told;
    }

    private static String trace(Throwable at) {
        StringBuilder text = new StringBuilder(", ").append(at.getMessage()).append(" at");
        StackTraceElement[] frames = at.getStackTrace();
        for (int i = 0; i < Math.min(frames.length, 8); i++) {
            text.append("\n    ").append(frames[i]);
        }
        return text.toString();
    }
}
