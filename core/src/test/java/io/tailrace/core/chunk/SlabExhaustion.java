// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A process whose budget is larger than its heap: acquires until the heap is spent, and goes on when some comes back. */
final class SlabExhaustion {

    private static final int CHUNK = 4 << 20;
    private static final int SLABS = 64;

    private SlabExhaustion() {}

    public static void main(String[] args) throws Exception {
        ChunkPool pool = ChunkPool.builder()
                .chunkBytes(CHUNK)
                .budgetBytes((long) SLABS * CHUNK)
                .build();
        List<Chunk> held = new ArrayList<>();
        int failures = 0;
        int most = 0;
        try (ChunkWindow window = pool.open("huge", SLABS, 1)) {
            for (int round = 0; round < 3; round++) {
                try {
                    while (true) {
                        held.add(window.acquire());
                    }
                } catch (OutOfMemoryError e) {
                    failures++;
                }
                most = Math.max(most, held.size());
                require(window.live() == held.size(), "the window counts " + window.live());
                require(pool.liveBytes() == (long) held.size() * CHUNK, pool.liveBytes() + " live");
                require(pool.freeBytes() == pool.budgetBytes() - pool.liveBytes(), pool.freeBytes() + " free");
                held.remove(held.size() - 1).release();
                held.add(window.acquire()); // a slab that exists serves again
                held.forEach(Chunk::release);
                held.clear();
            }
        }
        require(pool.freeBytes() == pool.budgetBytes(), pool.freeBytes() + " free at the end");
        System.out.println("resultFailedRetriably=" + (resultFails(pool) ? 1 : 0));
        require(pool.freeBytes() == pool.budgetBytes(), pool.freeBytes() + " free behind the result");
        pool.close();
        System.out.println("failures=" + failures);
        System.out.println("slabs=" + most);
    }

    /** Of a result whose transport keeps every chunk, so that it needs more and more of them. */
    private static boolean resultFails(ChunkPool pool) throws IOException {
        List<Chunk> kept = new ArrayList<>();
        FrameSink keeping = new FrameSink() {
            @Override
            public void write(FrameBatch batch) {
                for (int i = 0; i < batch.size(); i++) {
                    if (batch.get(i).capacity() == CHUNK) { // not the failure's own
                        batch.get(i).retain();
                        kept.add(batch.get(i));
                    }
                }
            }

            @Override
            public void close() {}
        };
        ResultEncoder encoder = ResultEncoder.builder(pool).window(SLABS).build();
        try (ResultWriter writer = encoder.open(new ResultId("huge", 1, 1, 0), "zeros/1", keeping)) {
            byte[] zeros = new byte[64 << 10];
            for (int i = 0; i < SLABS * CHUNK / zeros.length; i++) {
                writer.payload().writeBytes(zeros, 0, zeros.length);
            }
            return false;
        } catch (ResultFailedException e) {
            require(e.getCause() instanceof OutOfMemoryError, e.toString());
            return e.retriable();
        } finally {
            kept.forEach(Chunk::release);
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
