// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import java.util.Arrays;

/**
 * The stream ids of the last results that ended on a stream, so that a frame after an end, or a replay, is named for
 * what it is. Bounded: of a result longer ago a late frame is still refused, as one of a result that was not opened.
 */
final class EndedStreams {

    private static final int REMEMBERED = 256;

    /** Grows to that: most streams have few results. */
    private long[] ids = new long[4];

    private long added;

    void add(long streamId) {
        if (added == ids.length && ids.length < REMEMBERED) {
            ids = Arrays.copyOf(ids, Math.min(REMEMBERED, 4 * ids.length));
        }
        ids[(int) (added++ % ids.length)] = streamId;
    }

    boolean contains(long streamId) {
        int count = (int) Math.min(added, ids.length);
        for (int i = 0; i < count; i++) {
            if (ids[i] == streamId) {
                return true;
            }
        }
        return false;
    }
}
