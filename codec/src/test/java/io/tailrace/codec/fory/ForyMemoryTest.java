// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.fory.ForySamples.Line;
import io.tailrace.codec.fory.ForySamples.Way;
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
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What Fory's codecs allocate and keep while they encode. */
class ForyMemoryTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @TempDir
    Path directory;

    /** Whatever its size: the writer and what belongs to it. */
    private static final long MOST_OF_A_RESULT = 4 << 10;

    /** A child JVM's work: whole results of lines, and what the thriftiest allocates. */
    static final class Steady {
        private Steady() {}

        public static void main(String[] arguments) throws IOException {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            ValueCodec<Iterator<Line>> each = ForyCodecs.of(Way.COMPILED::fory).each(Line.class);
            List<Line> lines = ForySamples.lines(100_000);
            long least = Long.MAX_VALUE;
            long payload = 0;
            try (ChunkPool pool = ChunkPool.builder().build()) {
                ResultEncoder encoder = ResultEncoder.builder(pool).build();
                for (int i = 0; i < 30; i++) {
                    long before = threads.getCurrentThreadAllocatedBytes();
                    payload = encoder.encode(ID, each, lines.iterator(), new Looking(Long.MAX_VALUE))
                            .payloadBytes();
                    least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                }
            }
            System.out.println("allocated=" + least);
            System.out.println("payload=" + payload);
        }
    }

    @Test
    void linesAllocateLessThanAThousandthOfTheirBytes() throws Exception {
        try (ChildJvm jvm = ChildJvm.of(Steady.class, directory).start()) {
            List<String> told = jvm.lines(Duration.ofSeconds(60));
            long allocated = ChildJvm.number(told, "allocated");
            long payload = ChildJvm.number(told, "payload");
            audit.figure(allocated + " bytes allocated for " + payload + " of payload");
            assertTrue(allocated <= MOST_OF_A_RESULT + payload / 1_000, told.toString());
        }
    }

    /** Looks at the live heap once, when so many bytes are out. */
    private static final class Looking implements FrameSink {
        private final long when;
        private long sent;
        private long live;

        Looking(long when) {
            this.when = when;
        }

        @Override
        public void write(FrameBatch batch) {
            sent += batch.bytes();
            if (live == 0 && sent >= when) {
                live = Consuming.liveHeap();
            }
        }

        @Override
        public void close() {}
    }

    /** A child JVM's work: a list that is freed as it is encoded, by a Fory that follows references. */
    static final class Consuming {
        private Consuming() {}

        static long liveHeap() {
            for (int i = 0; i < 4; i++) {
                System.gc();
            }
            return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        }

        public static void main(String[] arguments) throws IOException {
            ValueCodec<Iterator<Line>> each =
                    ForyCodecs.of(Way.REFERENCES::fory).each(Line.class);
            try (ChunkPool pool = ChunkPool.builder().chunkBytes(4_096).build()) {
                ResultEncoder encoder = ResultEncoder.builder(pool).build();
                encoder.encode(ID, each, ForySamples.lines(100).iterator(), new Looking(Long.MAX_VALUE));
                long empty = liveHeap();
                List<Line> lines = ForySamples.lines(100_000);
                long before = liveHeap();
                long payload = encoder.encode(ID, each, lines.iterator(), new Looking(Long.MAX_VALUE))
                        .payloadBytes();
                Looking looking = new Looking(payload / 4 * 3);
                encoder.encode(ID, Codecs.consumedListOf(each), lines, looking);
                System.out.println("held=" + (before - empty));
                System.out.println("fallen=" + (before - looking.live));
                System.out.println("kept=" + lines.size());
            }
        }
    }

    @Test
    void theLiveHeapFallsWhileAConsumedListIsEncoded() throws Exception {
        try (ChildJvm jvm = ChildJvm.of(Consuming.class, directory).start()) {
            List<String> told = jvm.lines(Duration.ofMinutes(2));
            long held = ChildJvm.number(told, "held");
            long fallen = ChildJvm.number(told, "fallen");
            audit.figure("of " + held + " bytes " + fallen + " are free when three quarters are out");
            assertTrue(fallen > held / 2, told.toString());
        }
    }
}
