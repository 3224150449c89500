// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.frame.Gulps;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One gulp: what is in memory already, the caller's own, is lent whole. */
final class MemoryGulps implements Gulps {

    private @Nullable ByteBuffer left;

    MemoryGulps(ByteBuffer frames) {
        left = frames.duplicate();
    }

    @Override
    public @Nullable ByteBuffer next() {
        ByteBuffer lent = left;
        left = null;
        return lent;
    }

    @Override
    public boolean lasting() {
        return true;
    }

    @Override
    public void giveBack() {
        // The bytes are the caller's.
    }

    @Override
    public long outsideBytes() {
        return 0;
    }
}
