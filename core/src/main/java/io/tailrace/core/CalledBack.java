// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Gets a pushed decoder its chunks without waiting, and calls its owner back when one has come.
 *
 * <p><b>Threads.</b> The decoding thread calls all but {@link #run}, which is for whoever releases a chunk. That may be
 * while the decoder is still at its bytes, where another thread must not be sent in: then the owner is not called, and
 * {@link #returns} says that the chunk has come already. Of the two that change the state, one sees the other.
 */
final class CalledBack implements ResultDecoder.ChunkSource, Runnable {

    private enum State {
        DECODING,
        CAME,
        RETURNED
    }

    private final Runnable available;
    private final AtomicReference<State> state = new AtomicReference<>(State.DECODING);

    CalledBack(Runnable available) {
        this.available = available;
    }

    @Override
    public @Nullable Chunk acquire(ChunkWindow window) {
        return window.tryAcquire(this);
    }

    @Override
    public void begins() {
        state.set(State.DECODING);
    }

    @Override
    public boolean returns() {
        return state.compareAndSet(State.DECODING, State.RETURNED);
    }

    @Override
    public void run() {
        if (state.getAndSet(State.CAME) == State.RETURNED) {
            available.run();
        }
    }
}
