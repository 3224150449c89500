// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Buffers that wait for their reader outside the hand-off.
 *
 * <p><b>Ownership.</b> A buffer put in is this object's until it is polled; what is inside at the close, or put in
 * later, is given back.
 *
 * <p><b>Threads.</b> Any, one at a time by this object's monitor, for a few instructions.
 */
final class Leftovers {

    private final ArrayDeque<ByteBuf> buffers = new ArrayDeque<>();
    private final Consumer<ByteBuf> giveBack;
    private boolean closed;

    Leftovers(Consumer<ByteBuf> giveBack) {
        this.giveBack = giveBack;
    }

    synchronized void add(ByteBuf bytes) {
        buffers.add(bytes);
        giveBackIfClosed();
    }

    synchronized void addAll(Collection<ByteBuf> all) {
        buffers.addAll(all);
        giveBackIfClosed();
    }

    synchronized @Nullable ByteBuf poll() {
        return buffers.poll();
    }

    synchronized void close() {
        closed = true;
        giveBackIfClosed();
    }

    private void giveBackIfClosed() {
        if (closed) {
            buffers.forEach(giveBack);
            buffers.clear();
        }
    }
}
