// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whole frames that are lost, repeated, exchanged or strangers: their result fails alone, and both neighbours are read. */
final class FrameOrderTest {

    private static final int FRAMES = 20;
    private static final String BEFORE = "task=1";

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private Reading reading;
    private byte[] preamble;
    private List<byte[]> before;
    private List<byte[]> middle;
    private List<byte[]> after;
    private long cases;

    @BeforeEach
    void build() {
        ChunkPool pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        reading = Reading.of(pool);
        FrameBytes stream = FrameBytes.connection();
        preamble = stream.preamble();
        int all = result(stream, 1, 2, 1);
        before = List.copyOf(stream.frames().subList(0, all));
        int until = result(stream, 2, 13, 5);
        middle = List.copyOf(stream.frames().subList(all, until));
        int end = result(stream, 3, 2, 1);
        after = List.copyOf(stream.frames().subList(until, end));
        assertEquals(FRAMES, middle.size());
    }

    private static int result(FrameBytes stream, int task, int data, int trailers) {
        stream.identity("etl", 3, task, 0).open();
        for (int i = 0; i < data; i++) {
            stream.data("data " + i + " of " + task);
        }
        for (int i = 0; i < trailers; i++) {
            stream.trailer(("trailer " + i + " of " + task).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        return stream.end().frames().size();
    }

    @Test
    void exchangedFramesFailTheirResultAlone() throws IOException {
        for (int i = 0; i < FRAMES; i++) {
            for (int j = i + 1; j < FRAMES; j++) {
                List<byte[]> frames = new ArrayList<>(middle);
                Collections.swap(frames, i, j);
                requireFailed(frames, "frames " + i + " and " + j + " exchanged");
            }
        }
        audit.cases(cases);
    }

    @Test
    void lostFramesFailTheirResultAlone() throws IOException {
        for (int i = 0; i < FRAMES; i++) {
            for (int j = i; j < FRAMES; j++) {
                List<byte[]> frames = new ArrayList<>(middle);
                frames.remove(j);
                if (i < j) {
                    frames.remove(i);
                }
                requireFailed(frames, "frames " + i + " and " + j + " lost");
            }
        }
        audit.cases(cases);
    }

    @Test
    void repeatedFramesFailTheirResultAlone() throws IOException {
        for (int i = 0; i < FRAMES; i++) {
            for (int at = 0; at <= FRAMES; at++) {
                List<byte[]> frames = new ArrayList<>(middle);
                frames.add(at, middle.get(i));
                String what = "frame " + i + " repeated at " + at;
                if (at == FRAMES) {
                    requireCompleteAndThenRefused(frames, what); // behind the end it cannot harm
                } else if (i == FRAMES - 1 && at == FRAMES - 1) {
                    requireCompleteAndThenRefused(frames, what); // its own place: the one behind is the stranger
                } else {
                    requireFailed(frames, what);
                }
            }
        }
        audit.cases(cases);
    }

    @Test
    void framesOfOtherResultsFailTheOpenResultAlone() throws IOException {
        List<byte[]> foreign = new ArrayList<>(before);
        foreign.addAll(FrameBytes.connection()
                .nextStreamId(0x77)
                .identity("other", 9, 9, 9)
                .whole(new byte[600], new byte[3])
                .frames());
        for (byte[] stranger : foreign) {
            for (int at = 1; at < FRAMES; at++) {
                List<byte[]> frames = new ArrayList<>(middle);
                frames.add(at, stranger);
                requireFailed(frames, "a stranger at " + at);
            }
        }
        audit.cases(cases);
    }

    @Test
    void resultThatIsReplayedIsRefusedAsAWhole() throws IOException {
        List<byte[]> twice = new ArrayList<>(middle);
        twice.addAll(middle);
        requireCompleteAndThenRefused(twice, "replayed at once");
        List<byte[]> later = new ArrayList<>(middle);
        later.addAll(before);
        requireCompleteAndThenRefused(later, "the one before replayed");
    }

    @Test
    void framesBehindTheEndAndSecondEndsAreNamed() throws IOException {
        for (int i = 0; i < FRAMES; i++) {
            List<byte[]> frames = new ArrayList<>(middle);
            frames.add(middle.get(i));
            List<Reported> reports = requireCompleteAndThenRefused(frames, "frame " + i + " behind the end");
            assertEquals(
                    i == 0 ? "result opened twice" : "frame after the result's end",
                    reports.get(2).reason());
        }
    }

    @Test
    void failedResultIsNotRevivedByItsOwnFramesAfterAnotherHasOpened() throws IOException {
        // The middle one fails, another result opens while it is skipped, then all of the middle one comes again.
        List<byte[]> frames = new ArrayList<>(middle.subList(0, 3));
        frames.add(middle.get(1));
        List<byte[]> other = FrameBytes.connection()
                .nextStreamId(0x77)
                .whole(new byte[10], new byte[0])
                .frames();
        frames.addAll(other);
        frames.addAll(middle);
        List<Reported> reports = read(frames, "revived");
        assertEquals(
                List.of(Terminal.END, Terminal.MALFORMED, Terminal.END, Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList());
        assertEquals("result opened twice", reports.get(3).reason());
    }

    private void requireFailed(List<byte[]> frames, String what) throws IOException {
        List<Reported> reports = read(frames, what);
        assertTrue(
                reports.stream().noneMatch(report -> report.terminal() == Terminal.END && task(report) == 2),
                () -> what + " completed: " + reports);
        assertTrue(
                reports.stream().anyMatch(report -> report.terminal() == Terminal.MALFORMED),
                () -> what + " unseen: " + reports);
    }

    private List<Reported> requireCompleteAndThenRefused(List<byte[]> frames, String what) throws IOException {
        List<Reported> reports = read(frames, what);
        assertEquals(
                List.of(Terminal.END, Terminal.END, Terminal.MALFORMED, Terminal.END),
                reports.stream().map(Reported::terminal).toList(),
                () -> what + ": " + reports);
        assertEquals(2, task(reports.get(1)));
        return reports;
    }

    /** Reads them between two good results, which must be complete; agrees with the referee, pushed and pulled. */
    private List<Reported> read(List<byte[]> frames, String what) throws IOException {
        List<byte[]> parts = new ArrayList<>(List.of(preamble));
        parts.addAll(before);
        parts.addAll(frames);
        parts.addAll(after);
        byte[] stream = FrameBytes.join(parts);
        List<Reported> reports = reading.push(stream, Cuts.none());
        List<Reported> referee = ReferenceDecoder.decode(stream, Streams.CHUNK);
        List<String> expected = Reading.outlines(referee);
        assertEquals(expected, Reading.outlines(reports), what);
        Reading.requireSameReasons(referee, reports, what);
        if (cases % 7 == 0) {
            assertEquals(expected, Reading.outlines(reading.pull(stream, Cuts.headers(stream))), what);
        }
        assertEquals(Terminal.END, reports.get(0).terminal(), () -> what + ", " + BEFORE + ": " + reports);
        assertEquals(1, task(reports.get(0)));
        Reported last = reports.get(reports.size() - 1);
        assertEquals(Terminal.END, last.terminal(), () -> what + ", the neighbour behind: " + reports);
        assertEquals(3, task(last));
        assertTrue(reports.stream().noneMatch(Reported::connectionOver));
        cases++;
        return reports;
    }

    private static long task(Reported report) {
        return report.opened() == null ? -1 : report.opened().task();
    }
}
