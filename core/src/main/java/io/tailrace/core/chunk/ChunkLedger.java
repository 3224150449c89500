// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import java.util.StringJoiner;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The list of every slab a pool ever made: who holds it, and at which stage.
 *
 * <p>Nothing is written here when a chunk changes hands: holder and stage stand in the chunk itself, so that the
 * ledger costs nothing until it is read.
 *
 * <p><b>Ownership.</b> None: a slab's object is known here for as long as its pool, and never retained.
 *
 * <p><b>Threads.</b> Any thread enters and reads. A report taken while chunks move is a snapshot of no single instant.
 */
final class ChunkLedger {

    private final AtomicReferenceArray<@Nullable Chunk> chunks;
    private final AtomicInteger entered = new AtomicInteger();

    ChunkLedger(int capacity) {
        chunks = new AtomicReferenceArray<>(capacity);
    }

    /** The number of a slab about to be made. */
    int next() {
        int number = entered.getAndIncrement();
        if (number >= chunks.length()) {
            throw new IllegalStateException("slab " + number + " of " + chunks.length() + ": a permit was given twice");
        }
        return number;
    }

    void enter(Chunk chunk) {
        chunks.set(chunk.number(), chunk);
    }

    String report() {
        StringJoiner lines = new StringJoiner("\n");
        for (int i = 0; i < chunks.length(); i++) {
            Chunk chunk = chunks.get(i);
            String line = chunk == null ? null : chunk.describeIfOut();
            if (line != null) {
                lines.add(line);
            }
        }
        return lines.toString();
    }
}
