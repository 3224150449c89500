// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;

/**
 * A process whose codecs recurse, and write their first byte where the stack ends: frames of different sizes bring that end
 * to all places in the machinery. Interpreted, so that its frames are as they stand in the source.
 */
final class DeepFirstWrite {

    private static final ResultId ID = new ResultId("deep", 1, 2, 3);
    private static final int TURNS = 14;

    private static final ChunkPool POOL = ChunkPool.builder().build();
    private static final ResultEncoder ENCODER = ResultEncoder.builder(POOL).build();

    private static int overflows;
    private static int unusable;

    private DeepFirstWrite() {}

    public static void main(String[] args) throws Exception {
        Thread shallow = new Thread(null, DeepFirstWrite::run, "shallow", 512 << 10);
        shallow.start();
        shallow.join();
        System.out.println("overflows=" + overflows);
        System.out.println("unusable=" + unusable);
        System.out.println("live=" + POOL.liveBytes());
        System.out.println("missing=" + (POOL.budgetBytes() - POOL.freeBytes()));
    }

    private static void run() {
        int fits = 0;
        int not = 100_000;
        while (fits < not - 1) {
            int middle = (fits + not) >>> 1;
            boolean written = writes(middle, 0, 0);
            fits = written ? middle : fits;
            not = written ? not : middle;
        }
        for (int depth = fits - 50; depth < fits + 3; depth++) {
            for (int wide = 0; wide < TURNS; wide++) {
                for (int wider = 0; wider < TURNS; wider++) {
                    writes(depth, wide, wider);
                }
            }
        }
    }

    /** Whether the first write succeeded; if not, the result must be as it was. */
    private static boolean writes(int depth, int wide, int wider) {
        try (ResultWriter writer = ENCODER.open(ID, "deep/1", new MemorySink(FrameBatch.Purpose.FILE))) {
            try {
                narrow(writer.payload(), depth, wide, wider);
                return true;
            } catch (StackOverflowError e) {
                overflows++;
            }
            try {
                writer.payload().writeByte(2);
                writer.finish();
            } catch (IOException | RuntimeException e) {
                unusable++;
            }
            return false;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void narrow(WireOutput out, int depth, int wide, int wider) throws IOException {
        if (depth > 0) {
            narrow(out, depth - 1, wide, wider);
        } else {
            wide(out, wide, wider, 1);
        }
    }

    private static void wide(WireOutput out, int left, int wider, long a) throws IOException {
        if (left > 0) {
            wide(out, left - 1, wider, a + 1);
        } else {
            wider(out, wider, a, 2, 3);
        }
    }

    private static void wider(WireOutput out, int left, long a, long b, long c) throws IOException {
        if (left > 0) {
            wider(out, left - 1, b + c, c + a, a + b);
        } else {
            out.writeByte(1);
        }
    }
}
