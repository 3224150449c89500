// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.frame.Preamble;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one write, in order: whole chunks, each with the out-of-band body that may follow it.
 *
 * <p><b>Ownership.</b> The chunks are the sending thread's, which fills and clears this batch; it is reused.
 */
public final class FrameBatch {

    /** What opens a file or one direction of a connection. */
    public enum Purpose {
        FILE(Preamble.FILE),
        CONNECTION(Preamble.CONNECTION);

        private final Preamble preamble;

        Purpose(Preamble preamble) {
            this.preamble = preamble;
        }
    }

    /** At most so many bytes are gathered in one write, unless one frame is larger. */
    public static final int MAX_GATHERED = 1 << 20;

    private static final @Nullable ByteBuffer[] NO_BUFFERS = {};

    /** Room for a few: most results are one chunk. */
    private @Nullable Chunk[] chunks = new Chunk[4];

    private @Nullable ByteBuffer[] buffers = NO_BUFFERS;
    private int size;
    private long bytes;

    /** An empty batch. */
    public FrameBatch() {}

    /** The bytes that a sink writes in front of its first frame. */
    public static byte[] preamble(Purpose purpose) {
        return purpose.preamble.bytes();
    }

    /** How many chunks. */
    public int size() {
        return size;
    }

    /**
     * A chunk, borrowed.
     *
     * @param index 0 … {@link #size()} − 1
     * @throws IndexOutOfBoundsException for any other
     */
    public Chunk get(int index) {
        Chunk chunk = index < size ? chunks[index] : null;
        if (chunk == null) {
            throw new IndexOutOfBoundsException("chunk " + index + " of " + size);
        }
        return chunk;
    }

    /** Bytes on the wire, bodies included. */
    public long bytes() {
        return bytes;
    }

    /** Adds a chunk, which is this batch's until {@link #releaseAll}. For the sending thread, not for sinks. */
    public void add(Chunk chunk) {
        if (size == chunks.length) {
            chunks = Arrays.copyOf(chunks, 2 * size);
        }
        chunks[size++] = chunk;
        bytes += chunk.wireBytes();
    }

    /**
     * Views of all bytes, for a gathering write; {@link #bufferCount} of them count. Valid until the next call, which
     * makes them anew from the start.
     */
    public @Nullable ByteBuffer[] buffers() {
        if (buffers.length < 2 * size) {
            buffers = new ByteBuffer[2 * chunks.length];
        }
        int n = 0;
        for (int i = 0; i < size; i++) {
            Chunk chunk = get(i);
            buffers[n++] = chunk.internalNioBuffer(chunk.readerIndex(), chunk.readableBytes());
            ByteBuffer body = chunk.body();
            if (body != null) {
                buffers[n++] = body.duplicate();
            }
        }
        return buffers;
    }

    /** How many views {@link #buffers} makes: one a chunk, and one for each out-of-band body. */
    public int bufferCount() {
        int n = size;
        for (int i = 0; i < size; i++) {
            if (get(i).bodyBytes() > 0) {
                n++;
            }
        }
        return n;
    }

    /** Releases each chunk and forgets all, also when one was released already by a sink that did not own it. */
    public void releaseAll() {
        int held = size;
        size = 0;
        bytes = 0;
        Arrays.fill(buffers, null);
        RuntimeException first = null;
        for (int i = 0; i < held; i++) {
            Chunk chunk = chunks[i];
            chunks[i] = null;
            try {
                if (chunk != null) {
                    chunk.release();
                }
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
