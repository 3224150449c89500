// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

/**
 * The stream ids of the last results that ended on a stream, so that a frame after an end, or a replay, is named for
 * what it is. Bounded: of a result longer ago a late frame is still refused, as one of a result that was not opened.
 */
final class EndedStreams {

    private static final int REMEMBERED = 256;

    private final long[] ids = new long[REMEMBERED];
    private long added;

    void add(long streamId) {
        if (!contains(streamId)) {
            ids[(int) (added++ % REMEMBERED)] = streamId;
        }
    }

    boolean contains(long streamId) {
        for (int i = 0; i < Math.min(added, REMEMBERED); i++) {
            if (ids[i] == streamId) {
                return true;
            }
        }
        return false;
    }
}
