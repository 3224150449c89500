// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A value's bytes as long as they are few.
 *
 * <p><b>Threads.</b> The task's.
 */
final class HeldBytes {

    private static final int BLOCK_BYTES = 32 << 10;

    private final int most;

    /** Full, all but the last. */
    private List<byte[]> blocks = new ArrayList<>();

    private int count;

    HeldBytes(int most) {
        this.most = most;
    }

    /** Holds them, or none of them when they would be too many: then false. */
    boolean hold(byte[] from, int at, int length) {
        if (length > most - count) {
            return false;
        }
        int done = 0;
        while (done < length) {
            int room = blocks.size() * BLOCK_BYTES - count;
            if (room == 0) {
                blocks.add(new byte[BLOCK_BYTES]);
                room = BLOCK_BYTES;
            }
            int run = Math.min(room, length - done);
            System.arraycopy(from, at + done, blocks.get(blocks.size() - 1), BLOCK_BYTES - room, run);
            count += run;
            done += run;
        }
        return true;
    }

    void writeTo(OutputStream out) throws IOException {
        int rest = count;
        for (byte[] block : blocks) {
            out.write(block, 0, Math.min(rest, BLOCK_BYTES));
            rest -= BLOCK_BYTES;
        }
    }

    void clear() {
        blocks = new ArrayList<>(0);
        count = 0;
    }
}
