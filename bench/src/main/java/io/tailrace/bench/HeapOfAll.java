// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.sun.management.ThreadMXBean;
import io.tailrace.bench.RatioTable.Contender;
import io.tailrace.bench.RatioTable.Pace;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/** Prints what contenders allocate on the heap, by all threads of both ends together. They are warm, and keep their threads. */
final class HeapOfAll {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Pace pace;
    private final int results;

    /** @param results in a round */
    HeapOfAll(Pace pace, int results) {
        this.pace = pace;
        this.results = results;
        System.out.printf("%n| | allocated per result, median | least | most |%n|---|---|---|---|%n");
    }

    void print(String name, Contender contender) throws Exception {
        long[] rounds = new long[Math.max(1, Math.min(10, pace.rounds()))];
        for (int i = 0; i < rounds.length; i++) {
            long before = allocated();
            contender.run();
            rounds[i] = allocated() - before;
        }
        Arrays.sort(rounds);
        System.out.printf(
                "| %s | %,d | %,d | %,d |%n",
                name, rounds[rounds.length / 2] / results, rounds[0] / results, rounds[rounds.length - 1] / results);
    }

    private static long allocated() {
        return Arrays.stream(THREADS.getThreadAllocatedBytes(THREADS.getAllThreadIds()))
                .filter(bytes -> bytes > 0)
                .sum();
    }
}
