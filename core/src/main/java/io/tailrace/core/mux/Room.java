// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Credit as its giver keeps it: the very chunks that back it, into which frames are packed as FRAME_FORMAT.md's "Credit"
 * tells. So whoever spends credit finds memory, and whoever spends more is found out.
 *
 * <p><b>Ownership.</b> Granted chunks are this object's; the one being filled until the next is begun. What is packed holds a
 * reference of its own.
 */
final class Room {

    private final int chunkBytes;
    private final Tally.Count outstanding;
    private final ArrayDeque<Chunk> granted = new ArrayDeque<>(4);
    private @Nullable Chunk current;
    private int filled;
    private int at;

    /** @param outstanding counts the credit of chunks that are not begun */
    Room(int chunkBytes, Tally.Count outstanding) {
        this.chunkBytes = chunkBytes;
        this.outstanding = outstanding;
    }

    /** A chunk behind credit that is about to be given. */
    void grant(Chunk chunk) {
        granted.add(chunk);
        outstanding.add(chunkBytes);
    }

    /** Finds a place for a frame; false when no credit is left for it. */
    boolean place(int frameBytes) {
        if (current == null || frameBytes > chunkBytes - filled) {
            if (frameBytes > chunkBytes || granted.isEmpty()) {
                return false;
            }
            leave();
            current = granted.remove();
            outstanding.add(-chunkBytes);
        }
        at = filled;
        filled += frameBytes;
        return true;
    }

    /** The chunk of the place found last, borrowed. */
    Chunk chunk() {
        Chunk chunk = current;
        if (chunk == null) {
            throw new IllegalStateException("no place was found");
        }
        return chunk;
    }

    /** Where in it. */
    int at() {
        return at;
    }

    /** Chunks that are granted and not begun. */
    int unused() {
        return granted.size();
    }

    /** No credit is left: what was not used goes back. */
    void close() {
        leave();
        outstanding.add(-(long) chunkBytes * granted.size());
        for (Chunk chunk = granted.poll(); chunk != null; chunk = granted.poll()) {
            chunk.release();
        }
    }

    private void leave() {
        Chunk full = current;
        current = null;
        filled = 0;
        if (full != null) {
            full.release();
        }
    }
}
