// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Codecs;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What elements by Kryo take of the heap, and how soon the first of them is out. */
class KryoMemoryTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final int FEW = 10_000;
    private static final int MANY = 200_000;

    /** Whatever its size: the writer and what belongs to it. */
    private static final long MOST_OF_A_RESULT = 4 << 10;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path directory;

    static final class Sale {
        long id;
        double price;
        int quantity;
        String symbol = "";
        String comment = "";
    }

    private static List<Sale> sales(int count) {
        List<Sale> sales = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Sale sale = new Sale();
            sale.id = i;
            sale.price = i / 8.0;
            sale.quantity = i % 100;
            sale.symbol = "SYM" + i % 1_000;
            sale.comment = "a comment of some length " + i;
            sales.add(sale);
        }
        return sales;
    }

    private static ValueCodec<Iterator<Sale>> codec() {
        return KryoCodecs.builder(() -> {
                    Kryo kryo = new Kryo();
                    kryo.setReferences(true);
                    kryo.setAutoReset(false);
                    kryo.register(Sale.class);
                    return kryo;
                })
                .build()
                .each(Sale.class);
    }

    /** Told at each write, of which there is one a chunk. */
    private static final class Watching implements FrameSink {
        private final Runnable written;

        Watching(Runnable written) {
            this.written = written;
        }

        @Override
        public void write(FrameBatch batch) {
            written.run();
        }

        @Override
        public void close() {}
    }

    /** Tells what results of few and of many allocate, and when the first chunk of many was out. */
    static final class Thrifty {
        private Thrifty() {}

        public static void main(String[] arguments) throws IOException {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            ValueCodec<Iterator<Sale>> codec = codec();
            List<List<Sale>> both = List.of(sales(FEW), sales(MANY));
            long[] least = {Long.MAX_VALUE, Long.MAX_VALUE};
            long[] payload = {0, 0};
            long[] first = {0, Long.MAX_VALUE};
            try (ChunkPool pool = ChunkPool.builder().build()) {
                ResultEncoder encoder = ResultEncoder.builder(pool).build();
                FrameSink sink = new Watching(() -> {
                    if (first[0] == 0) {
                        first[0] = System.nanoTime();
                    }
                });
                for (int i = 0; i < 60; i++) {
                    int which = i % 2;
                    first[0] = 0;
                    long start = System.nanoTime();
                    long before = threads.getCurrentThreadAllocatedBytes();
                    payload[which] = encoder.encode(ID, codec, both.get(which).iterator(), sink)
                            .payloadBytes();
                    least[which] = Math.min(least[which], threads.getCurrentThreadAllocatedBytes() - before);
                    first[1] = which == 1 ? Math.min(first[1], first[0] - start) : first[1];
                }
            }
            System.out.println("allocated=" + least[0]);
            System.out.println("moreAllocated=" + (least[1] - least[0]));
            System.out.println("morePayload=" + (payload[1] - payload[0]));
            System.out.println("firstNanos=" + first[1]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--add-opens=java.base/java.lang=ALL-UNNAMED", "-Dunused=unused"})
    void elementsAllocateLessThanAThousandthOfTheirBytes(String option) throws Exception {
        try (ChildJvm child =
                ChildJvm.of(Thrifty.class, directory).options(option).start()) {
            List<String> told = child.lines(Duration.ofSeconds(60));
            audit.figure(String.join(", ", told));
            assertTrue(
                    ChildJvm.number(told, "moreAllocated") * 1_000 <= ChildJvm.number(told, "morePayload"),
                    told.toString());
            assertTrue(ChildJvm.number(told, "allocated") <= MOST_OF_A_RESULT, told.toString());
            assertTrue(ChildJvm.number(told, "firstNanos") <= 5_000_000, told.toString());
        }
    }

    /** Encodes a list that frees itself, with references and a Kryo that never resets by itself. */
    static final class Falling {
        private Falling() {}

        private static long liveHeap() {
            for (int i = 0; i < 4; i++) {
                System.gc();
            }
            return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        }

        public static void main(String[] arguments) throws IOException {
            long empty = liveHeap();
            List<Sale> sales = sales(MANY);
            long before = liveHeap();
            long[] seen = {0, 0, 0};
            try (ChunkPool pool = ChunkPool.builder().chunkBytes(4_096).build()) {
                ResultEncoder encoder = ResultEncoder.builder(pool).build();
                encoder.encode(ID, codec(), sales.iterator(), new Watching(() -> seen[0]++));
                FrameSink sink = new Watching(() -> {
                    if (++seen[1] == seen[0] * 3 / 4) {
                        seen[2] = liveHeap();
                    }
                });
                encoder.encode(ID, Codecs.consumedListOf(codec()), sales, sink);
            }
            System.out.println("held=" + (before - empty));
            System.out.println("fallen=" + (before - seen[2]));
            System.out.println("kept=" + sales.size());
        }
    }

    @Test
    void theLiveHeapFallsWhileAConsumedListIsEncoded() throws Exception {
        try (ChildJvm child = ChildJvm.of(Falling.class, directory).start()) {
            List<String> told = child.lines(Duration.ofMinutes(2));
            long held = ChildJvm.number(told, "held");
            long fallen = ChildJvm.number(told, "fallen");
            audit.figure("of " + held + " bytes " + fallen + " are free when three quarters are out");
            assertTrue(fallen > held / 2, told.toString());
        }
    }
}
