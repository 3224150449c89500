// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What encoding whole results of typed values allocates, whichever way text is taken. */
class SteadyStateTest {

    private static final int FEW = 10_000;
    private static final int MANY = 100_000;

    /** Whatever its size: the writer and what belongs to it, and where text is not read in place, its stage. */
    private static final long MOST_OF_A_RESULT = 4 << 10;

    @TempDir
    Path directory;

    record Sale(long id, double price, int quantity, long time, String symbol, String comment) {}

    private record Measured(long payloadBytes, long allocated) {}

    /** Tells what results of few and of many rows allocate. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws IOException {
            Measured few = measured(FEW);
            Measured many = measured(MANY);
            System.out.println(Codecs.textAccess());
            System.out.println("allocated=" + few.allocated());
            System.out.println("moreAllocated=" + (many.allocated() - few.allocated()));
            System.out.println("morePayload=" + (many.payloadBytes() - few.payloadBytes()));
        }
    }

    private List<String> child(String... options) throws IOException, InterruptedException {
        try (ChildJvm jvm = ChildJvm.of(Child.class, directory).options(options).start()) {
            return jvm.lines(Duration.ofSeconds(60));
        }
    }

    @Test
    void rowsOfAsciiAllocateLessThanAThousandthOfTheirBytesWhereTextIsTakenInPlace() throws Exception {
        assertThrifty("in place", child("--add-opens", "java.base/java.lang=ALL-UNNAMED"));
    }

    @Test
    void andWhereItIsTakenThroughPublicMethods() throws Exception {
        assertThrifty("public methods", child());
    }

    private static void assertThrifty(String way, List<String> told) {
        assertTrue(told.contains(way), told.toString());
        long more = ChildJvm.number(told, "moreAllocated");
        assertTrue(more * 1_000 <= ChildJvm.number(told, "morePayload"), told.toString());
        assertTrue(ChildJvm.number(told, "allocated") <= MOST_OF_A_RESULT, told.toString());
    }

    /** The least of some whole encodes: the JVM allocates in this thread too, now and then. */
    private static Measured measured(int count) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        List<Sale> sales = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sales.add(new Sale(i, i / 8.0, i % 100, 1L << 40, "SYM" + i % 1_000, "a comment of some length " + i));
        }
        ValueCodec<List<Sale>> codec = Codecs.value(
                Codecs.list(Derivation.builder(MethodHandles.lookup()).build().of(Sale.class)));
        Dropping sink = new Dropping();
        long least = Long.MAX_VALUE;
        try (ChunkPool pool = ChunkPool.builder().build()) {
            ResultEncoder encoder = ResultEncoder.builder(pool).build();
            ResultSummary summary = encoder.encode(new ResultId("job", 1, 2, 0), codec, sales, sink);
            for (int i = 0; i < 5; i++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                encoder.encode(new ResultId("job", 1, 2, 0), codec, sales, sink);
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            return new Measured(summary.payloadBytes(), least);
        }
    }

    private static final class Dropping implements FrameSink {
        @Override
        public void write(FrameBatch batch) {
            // Takes all.
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }
}
