// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import com.sun.management.ThreadMXBean;
import io.tailrace.bench.RatioTable.Contender;
import io.tailrace.bench.RatioTable.Pace;
import io.tailrace.codec.Codecs;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The heap that encoding and decoding typed values of ASCII text allocates, warm, in the thread that does it: of each
 * contender per 1,000 bytes that it writes, and per value that it reads, beside what the objects alone take.
 */
final class ValueHeap {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private ValueHeap() {}

    static void print(Pace pace, int count) throws Exception {
        System.out.printf(
                "%nHeap allocated, text by %s; JDK %s, %,d values%n%n", Codecs.textAccess(), Runtime.version(), count);
        System.out.println("| | bytes written | allocated per 1,000 of them | allocated per value read |");
        System.out.println("|---|---|---|---|");
        for (String workload : List.of("ASCII rows", "lineitem", "lines")) {
            print(pace, workload, Values.named(workload, count));
        }
    }

    private static <E> void print(Pace pace, String workload, Values<E> values) throws Exception {
        List<E> value = values.results().get(0);
        System.out.printf(
                "| %s, copied as objects | | | %.2f |%n",
                workload, allocated(pace, () -> copy(value)) / (double) value.size());
        for (String name : List.of("Tailrace", "Kryo", "Kryo by hand", "Fory")) {
            try (ValueContender<E> contender = ValueContender.named(name, values)) {
                long bytes = contender.encode();
                System.out.printf(
                        "| %s, %s | %,d | %.3f | %.2f |%n",
                        workload,
                        name,
                        bytes,
                        1_000.0 * allocated(pace, contender::encode) / bytes,
                        allocated(pace, contender::decode) / (double) value.size());
            }
        }
    }

    /** The median of the rounds. */
    private static long allocated(Pace pace, Contender contender) throws Exception {
        for (int i = 0; i < pace.warmups(); i++) {
            contender.run();
        }
        long[] rounds = new long[Math.max(1, pace.rounds())];
        for (int i = 0; i < rounds.length; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            contender.run();
            rounds[i] = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        Arrays.sort(rounds);
        return rounds[rounds.length / 2];
    }

    private static <E> long copy(List<E> value) {
        char[] stage = new char[1_024];
        List<Object> copies = new ArrayList<>(value.size());
        for (E element : value) {
            copies.add(copy(element, stage));
        }
        return copies.size();
    }

    private static Object copy(Object element, char[] stage) {
        if (element instanceof Workloads.Row row) {
            return new Workloads.Row(
                    row.id(),
                    row.price(),
                    row.quantity(),
                    row.time(),
                    copy(row.symbol(), stage),
                    copy(row.comment(), stage));
        }
        if (element instanceof TableLine line) {
            return new TableLine(
                    line.orderKey(),
                    line.partKey(),
                    line.supplierKey(),
                    line.line(),
                    line.quantity(),
                    line.price(),
                    line.discount(),
                    line.tax(),
                    line.returned(),
                    line.status(),
                    line.shipped(),
                    line.committed(),
                    line.received(),
                    copy(line.instructions(), stage),
                    copy(line.mode(), stage),
                    copy(line.comment(), stage));
        }
        return copy((String) element, stage);
    }

    /** Its bytes too, and nothing besides. */
    private static String copy(String text, char[] stage) {
        text.getChars(0, text.length(), stage, 0);
        return new String(stage, 0, text.length());
    }
}
