// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkStage;
import io.tailrace.core.chunk.ChunkWindow;
import java.io.IOException;

/** Full chunks of known bytes, written to a sink one a batch, as an encoder would; not frames that a reader takes. */
final class Frames implements AutoCloseable {

    private final ChunkWindow window;
    private final FrameBatch batch = new FrameBatch();
    private byte next;

    private Frames(ChunkWindow window) {
        this.window = window;
    }

    static Frames open(ChunkPool pool, int window) throws IOException {
        return new Frames(pool.open("frames", window, 1));
    }

    int live() {
        return window.live();
    }

    /** Writes a chunk whose bytes are all its number. */
    void write(FrameSink sink) throws IOException {
        Chunk chunk = window.acquire();
        chunk.touch(ChunkStage.SENDING);
        byte number = next++;
        while (chunk.isWritable()) {
            chunk.writeByte(number);
        }
        batch.add(chunk);
        try {
            sink.write(batch);
        } finally {
            batch.releaseAll();
        }
    }

    @Override
    public void close() {
        window.close();
    }
}
