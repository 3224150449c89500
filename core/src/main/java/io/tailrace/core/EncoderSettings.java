// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.wire.BlockCompression;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What a {@link ResultEncoder} was built with. */
record EncoderSettings(
        ChunkPool pool,
        int window,
        @Nullable BlockCompression compression,
        @Nullable Executor sendingOn,
        long maxWireBytes,
        long maxPayloadBytes,
        long maxTrailerBytes,
        Duration linger) {

    /** Chunks a result must always be able to have: compressing needs a second beside the one being written. */
    int reserve() {
        return compression == null ? 1 : 2;
    }

    int compressionId() {
        return compression == null ? 0 : compression.id();
    }
}
