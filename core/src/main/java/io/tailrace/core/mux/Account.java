// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

/**
 * Credit as its user counts it: frames are packed into chunks by the same rule as the receiver packs them
 * (FRAME_FORMAT.md, "Credit"), so that one that fits what is left of a chunk costs nothing more.
 */
final class Account {

    private final int chunkBytes;
    private final Tally.Count outstanding;
    private int room;
    private long credit;

    /** @param outstanding counts the credit that is not begun */
    Account(int chunkBytes, Tally.Count outstanding) {
        this.chunkBytes = chunkBytes;
        this.outstanding = outstanding;
    }

    void grant(long bytes) {
        credit = Math.addExact(credit, bytes);
        outstanding.add(bytes);
    }

    /** Charges a frame; false when there is no credit for it. */
    boolean charge(int frameBytes) {
        if (frameBytes > room) {
            if (credit < chunkBytes) {
                return false;
            }
            credit -= chunkBytes;
            outstanding.add(-chunkBytes);
            room = chunkBytes;
        }
        room -= frameBytes;
        return true;
    }

    /** Credit for chunks that are not begun. */
    long credit() {
        return credit;
    }

    /** What is left is void. */
    void close() {
        outstanding.add(-credit);
        credit = 0;
    }
}
