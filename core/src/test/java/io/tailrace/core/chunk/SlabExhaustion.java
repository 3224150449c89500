// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

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
        pool.close();
        System.out.println("failures=" + failures);
        System.out.println("slabs=" + most);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
