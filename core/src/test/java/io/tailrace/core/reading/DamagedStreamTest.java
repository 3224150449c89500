// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bits that flip, bursts, and streams that end early: none goes unseen, and nothing wrong is ever completed. */
final class DamagedStreamTest {

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private Reading reading;
    private Map<String, byte[]> streams;

    @BeforeEach
    void encode() throws IOException {
        ChunkPool pool = audit.pool(Streams.CHUNK, 16 * Streams.CHUNK);
        reading = Reading.of(pool);
        streams = Streams.all(pool);
    }

    @Test
    void everyFlippedBitIsFoundWhereItIs() throws IOException {
        long cases = 0;
        for (Map.Entry<String, byte[]> entry : streams.entrySet()) {
            Undamaged undamaged = new Undamaged(entry.getKey(), entry.getValue());
            for (long bit = 0; bit < entry.getValue().length * 8L; bit++) {
                undamaged.requireFound(FrameBytes.flipped(entry.getValue(), bit), (int) (bit / 8), "bit " + bit);
                cases++;
            }
        }
        audit.cases(cases);
        audit.figure("0 undetected");
    }

    @Test
    void burstsOfUpTo32BitsAreFound() throws IOException {
        bursts(2, 32);
    }

    @Test
    void burstsOf33To1000BitsAreFound() throws IOException {
        bursts(33, 1000);
    }

    @Test
    void everyPrefixIsATruncationUnlessItEndsBehindATerminal() throws IOException {
        long cases = 0;
        for (Map.Entry<String, byte[]> entry : streams.entrySet()) {
            byte[] stream = entry.getValue();
            Undamaged undamaged = new Undamaged(entry.getKey(), stream);
            for (int length = 0; length < stream.length; length++) {
                byte[] prefix = Arrays.copyOf(stream, length);
                List<Reported> pushed = reading.push(prefix, Cuts.none());
                undamaged.requirePrefix(pushed, length);
                if (LeakAudit.FULL || length % 5 == 0) {
                    assertEquals(Reading.outlines(pushed), Reading.outlines(reading.pull(prefix, Cuts.none())));
                }
                cases++;
            }
        }
        audit.cases(cases);
    }

    private void bursts(int shortest, int longest) throws IOException {
        Random random = audit.random();
        long cases = LeakAudit.FULL ? 1_000_000 : 20_000;
        List<Undamaged> all = streams.entrySet().stream()
                .map(entry -> new Undamaged(entry.getKey(), entry.getValue()))
                .toList();
        for (long i = 0; i < cases; i++) {
            Undamaged undamaged = all.get(random.nextInt(all.size()));
            byte[] damaged = undamaged.stream.clone();
            int length = shortest + random.nextInt(longest - shortest + 1);
            long first = random.nextInt((int) Math.max(1, damaged.length * 8L - length));
            length = (int) Math.min(length, damaged.length * 8L - first);
            flip(damaged, first);
            for (long bit = first + 1; bit < first + length - 1; bit++) {
                if (random.nextBoolean()) {
                    flip(damaged, bit);
                }
            }
            flip(damaged, first + length - 1);
            undamaged.requireFound(damaged, (int) (first / 8), "burst of " + length + " bits at " + first);
        }
        audit.cases(cases);
        audit.figure("0 undetected");
    }

    private static void flip(byte[] bytes, long bit) {
        bytes[(int) (bit / 8)] ^= (byte) (1 << (bit % 8));
    }

    /** A stream as it was written, and what is reported of it. */
    private final class Undamaged {
        private final String name;
        private final byte[] stream;
        private final List<Integer> frames;
        private final List<Reported> reports;
        private final List<String> outlines;

        Undamaged(String name, byte[] stream) {
            this.name = name;
            this.stream = stream;
            this.frames = Streams.frameOffsets(stream);
            try {
                this.reports = reading.push(stream, Cuts.none());
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            this.outlines = Reading.outlines(reports);
        }

        void requireFound(byte[] damaged, int firstByte, String damage) throws IOException {
            String what = name + ", " + damage;
            Recording recording = new Recording();
            reading.push(damaged, Cuts.none(), recording);
            List<Reported> seen = recording.reports();
            boolean found = false;
            int next = 0;
            for (Reported report : seen) {
                boolean sound = report.terminal() == Terminal.END || report.terminal() == Terminal.FAILURE;
                if (sound) {
                    next = requireOneOf(report, next, what);
                } else {
                    found = true;
                    requirePrefixOfOne(report, what);
                }
            }
            assertTrue(found, () -> "undetected: " + what);
            assertTrue(count(seen) < outlines.size(), () -> "all complete in spite of " + what);
            requirePlace(recording.failures(), firstByte, what);
        }

        /** What is reported as whole was so written, and in that order; returns where the search goes on. */
        private int requireOneOf(Reported report, int from, String what) {
            int at = outlines.subList(from, outlines.size()).indexOf(Reading.outline(report));
            assertTrue(at >= 0, () -> "wrong data completed: " + what + ": " + report);
            return from + at + 1;
        }

        private void requirePrefixOfOne(Reported failed, String what) {
            if (failed.opened() != null) {
                boolean found = reports.stream()
                        .anyMatch(whole -> failed.opened().equals(whole.opened())
                                && prefix(failed.payload(), whole.payload())
                                && prefix(failed.trailer(), whole.trailer()));
                assertTrue(found, () -> "wrong data delivered: " + what + ": " + failed);
            }
        }

        /** The first error that is not the sender's own is that of malformed data, and names the frame of the damage. */
        private void requirePlace(List<ResultException> failures, int firstByte, String what) {
            ResultException first = failures.stream()
                    .filter(failure -> !(failure instanceof io.tailrace.core.wire.ResultFailedException))
                    .findFirst()
                    .orElseThrow();
            assertInstanceOf(MalformedDataException.class, first, what);
            int frame = 0;
            while (frames.get(frame + 1) <= firstByte) {
                frame++;
            }
            if (frame == 0) {
                assertTrue(first.offset() < 16, () -> what + ": " + first);
            } else {
                assertEquals((long) frames.get(frame), first.offset(), () -> what + ": " + first);
            }
        }

        void requirePrefix(List<Reported> seen, int length) {
            boolean clean = length == 16;
            for (int i = 1; i + 1 < frames.size(); i++) {
                int kind = stream[frames.get(i)];
                clean |= frames.get(i + 1) == length && (kind == 4 || kind == 5);
            }
            int complete = clean ? seen.size() : seen.size() - 1;
            assertEquals(outlines.subList(0, complete), Reading.outlines(seen.subList(0, complete)), name);
            if (!clean) {
                Reported last = seen.get(complete);
                assertEquals(Terminal.TRUNCATED, last.terminal(), () -> name + " cut at " + length + ": " + last);
                assertTrue(last.connectionOver());
                requirePrefixOfOne(last, "cut at " + length);
            }
        }

        private long count(List<Reported> seen) {
            return seen.stream()
                    .filter(report -> report.terminal() == Terminal.END || report.terminal() == Terminal.FAILURE)
                    .count();
        }
    }

    private static boolean prefix(byte[] part, byte[] whole) {
        return part.length <= whole.length && Arrays.equals(part, 0, part.length, whole, 0, part.length);
    }
}
