// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import org.jspecify.annotations.Nullable;

/** What a {@link ResultReader} or {@link ResultDecoder} was built with. */
record ReaderSettings(
        ChunkPool pool,
        int window,
        int aheadReserve,
        boolean assembles,
        DecoderLimits limits,
        @Nullable BlockCompression compression) {

    /** Chunks a reader must always be able to have: the decoder's, and one to read ahead into if it does. */
    int reserve() {
        return decoderReserve() + aheadReserve;
    }

    /** Frames are assembled in a chunk, unless they come whole; a compressed one is expanded into another. */
    int decoderReserve() {
        return (assembles ? 1 : 0) + (compression == null ? 0 : 1);
    }

    /** Refuses a result that this side could not read, before its first payload byte. */
    void verify(OpenBody open, long at) throws MalformedDataException {
        if (open.chunkSize() > pool.chunkBytes()) {
            throw new MalformedDataException(
                    "declared chunk size exceeds the reader's", pool.chunkBytes(), open.chunkSize(), at, open.id());
        }
        int known = compression == null ? 0 : compression.id();
        if (open.compressionId() != 0 && open.compressionId() != known) {
            throw new MalformedDataException("unknown compression " + open.compressionId(), at, open.id());
        }
    }
}
