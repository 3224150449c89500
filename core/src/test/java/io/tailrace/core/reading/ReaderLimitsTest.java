// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.NaiveLz4;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of a reader at one less, exactly, and one more; whoever crosses one fails alone. */
final class ReaderLimitsTest {

    private static final int FRAMES = 7;
    private static final int BODY = 100;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool;

    @BeforeEach
    void build() {
        pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
    }

    private static byte[] plain() {
        FrameBytes stream = FrameBytes.connection().open();
        for (int i = 0; i < FRAMES; i++) {
            stream.data(new byte[BODY]);
        }
        for (int i = 0; i < FRAMES; i++) {
            stream.trailer(new byte[BODY]);
        }
        return stream.end().whole(new byte[1], new byte[0]).toBytes();
    }

    private static byte[] compressed() {
        FrameBytes stream = FrameBytes.connection().compression(1).open();
        for (int i = 0; i < 2 * FRAMES; i++) {
            stream.compressed(i < FRAMES ? 2 : 3, NaiveLz4.run(1, BODY), BODY);
        }
        return stream.end().whole(new byte[1], new byte[0]).toBytes();
    }

    private static final int TOTAL = FRAMES * BODY;

    @Test
    void payloadIsLimitedAfterExpansion() throws IOException {
        for (byte[] stream : List.of(plain(), compressed())) {
            requireWithin(stream, DecoderLimits.DEFAULT.withPayloadBytes(TOTAL + 1));
            requireWithin(stream, DecoderLimits.DEFAULT.withPayloadBytes(TOTAL));
            ResultTooLargeException e =
                    requireBeyond(stream, DecoderLimits.DEFAULT.withPayloadBytes(TOTAL - 1), TOTAL - BODY, 0);
            assertEquals(TOTAL - 1, e.limit());
            assertEquals(TOTAL, e.actual());
            assertEquals("too many payload bytes", e.reason());
            requireBeyond(stream, DecoderLimits.DEFAULT.withPayloadBytes(0), 0, 0);
        }
    }

    @Test
    void trailerIsLimitedAfterExpansion() throws IOException {
        for (byte[] stream : List.of(plain(), compressed())) {
            requireWithin(stream, DecoderLimits.DEFAULT.withTrailerBytes(TOTAL + 1));
            requireWithin(stream, DecoderLimits.DEFAULT.withTrailerBytes(TOTAL));
            ResultTooLargeException e =
                    requireBeyond(stream, DecoderLimits.DEFAULT.withTrailerBytes(TOTAL - 1), TOTAL, TOTAL - BODY);
            assertEquals(TOTAL - 1, e.limit());
            assertEquals("too many trailer bytes", e.reason());
            requireBeyond(stream, DecoderLimits.DEFAULT.withTrailerBytes(0), TOTAL, 0);
        }
    }

    @Test
    void wireIsLimitedByWholeFrames() throws IOException {
        byte[] stream = plain();
        int wire = 32 + 39 + 2 * FRAMES * (32 + BODY) + 32 + 40; // the opening, the content, the end
        requireWithin(stream, DecoderLimits.DEFAULT.withWireBytes(wire + 1));
        requireWithin(stream, DecoderLimits.DEFAULT.withWireBytes(wire));
        ResultTooLargeException e = requireBeyond(stream, DecoderLimits.DEFAULT.withWireBytes(wire - 1), TOTAL, TOTAL);
        assertEquals("too many wire bytes", e.reason());
        assertEquals(wire, e.actual());
        requireBeyond(stream, DecoderLimits.DEFAULT.withWireBytes(wire - 73), TOTAL, TOTAL - BODY);
    }

    @Test
    void ignorableFramesCountOnTheWire() throws IOException {
        FrameBytes stream = FrameBytes.connection().open();
        for (int i = 0; i < 100; i++) {
            stream.frame(0x90, new byte[400]);
        }
        stream.end().whole(new byte[1], new byte[0]);
        requireBeyond(stream.toBytes(), DecoderLimits.DEFAULT.withWireBytes(20_000), 0, 0);
    }

    @Test
    void limitsAreEachResultsOwn() throws IOException {
        FrameBytes stream = FrameBytes.connection();
        for (int i = 0; i < 50; i++) {
            stream.whole(new byte[TOTAL], new byte[0]);
        }
        List<Reported> reports = Reading.of(pool)
                .limits(DecoderLimits.DEFAULT.withPayloadBytes(TOTAL))
                .push(stream.toBytes(), Cuts.none());
        assertEquals(50, reports.size());
        assertTrue(reports.stream().allMatch(report -> report.terminal() == Terminal.END));
    }

    @Test
    void valuesAreLimitedOneByOne() throws IOException {
        byte[] content = Streams.content(TOTAL);
        byte[] stream = FrameBytes.connection()
                .whole(content, new byte[0])
                .whole(new byte[1], new byte[0])
                .toBytes();
        for (int limit : new int[] {TOTAL - 1, TOTAL, TOTAL + 1}) {
            DecoderLimits limits = DecoderLimits.DEFAULT.withValueBytes(limit);
            try (ResultReader reader = ResultReader.builder(pool)
                    .limits(limits)
                    .open(Channels.newChannel(new ByteArrayInputStream(stream)))) {
                assertTrue(reader.nextResult());
                if (limit < TOTAL) {
                    ResultTooLargeException e = assertThrows(
                            ResultTooLargeException.class,
                            () -> reader.payload().readByteArray(TOTAL));
                    assertEquals(limit, e.limit());
                    assertEquals(reader.id(), e.resultId());
                    assertEquals(TOTAL / 2, reader.payload().readByteArray(TOTAL / 2).length, "a smaller one goes");
                } else {
                    assertArrayEquals(content, reader.payload().readByteArray(TOTAL));
                }
                assertEquals(TOTAL, reader.finish().payloadBytes());
                assertTrue(reader.nextResult());
                reader.finish();
                assertFalse(reader.nextResult());
            }
        }
    }

    @Test
    void trailerIsReadWithinItsOwnLimit() throws IOException {
        String text = "rows=1000000000000";
        byte[] trailer = new byte[1 + text.length()];
        trailer[0] = (byte) text.length();
        System.arraycopy(text.getBytes(StandardCharsets.UTF_8), 0, trailer, 1, text.length());
        byte[] stream = FrameBytes.connection().whole(new byte[8], trailer).toBytes();
        DecoderLimits fewOfPayload = DecoderLimits.DEFAULT.withPayloadBytes(16);
        try (ResultReader reader = open(stream, fewOfPayload)) {
            assertTrue(reader.nextResult());
            assertEquals(text, reader.trailer().readUtf8());
            reader.finish();
        }
        try (ResultReader reader = open(stream, fewOfPayload.withTrailerBytes(4))) {
            assertTrue(reader.nextResult());
            ResultTooLargeException e = assertThrows(
                    ResultTooLargeException.class, () -> reader.trailer().readUtf8());
            assertEquals(4, e.limit());
        }
    }

    /** The frame's own limits let this pass, as it does not arrive: only the input can refuse to make room for it. */
    @Test
    void countBeyondWhatTheTrailerMayHoldIsRefusedBeforeItComes() throws IOException {
        byte[] stream =
                FrameBytes.connection().whole(new byte[8], new byte[] {5, 1, 2}).toBytes();
        try (ResultReader reader = open(stream, DecoderLimits.DEFAULT.withTrailerBytes(4))) {
            assertTrue(reader.nextResult());
            ResultTooLargeException e = assertThrows(
                    ResultTooLargeException.class, () -> reader.trailer().readUtf8());
            assertEquals(4, e.limit());
            assertEquals("value exceeds what its limit leaves", e.reason());
        }
    }

    private ResultReader open(byte[] stream, DecoderLimits limits) throws IOException {
        return ResultReader.builder(pool).limits(limits).open(Channels.newChannel(new ByteArrayInputStream(stream)));
    }

    @Test
    void windowBoundsMemoryWhateverTheStreamHolds() throws IOException {
        Random random = audit.random();
        int cases = LeakAudit.FULL ? 20_000 : 1_000;
        for (int i = 0; i < cases; i++) {
            ChunkPool small = ChunkPool.builder()
                    .chunkBytes(Streams.CHUNK)
                    .budgetBytes(64 * Streams.CHUNK)
                    .build();
            byte[] stream = RandomStream.broken(random).bytes();
            Reading.of(small).window(2).push(stream, Cuts.random(stream.length, random));
            Reading.of(small).window(2).pull(stream, Cuts.random(stream.length, random));
            assertTrue(small.peakLiveBytes() <= 2L * Streams.CHUNK, () -> "peak " + small.peakLiveBytes());
            small.close();
        }
        audit.cases(cases);
    }

    private void requireWithin(byte[] stream, DecoderLimits limits) throws IOException {
        for (Reported report : Reading.of(pool).limits(limits).push(stream, Cuts.none())) {
            assertEquals(Terminal.END, report.terminal(), () -> limits + ": " + report);
        }
    }

    private ResultTooLargeException requireBeyond(byte[] stream, DecoderLimits limits, int payload, int trailer)
            throws IOException {
        DecoderLimits most = limits.payloadBytes() == 0 ? limits.withPayloadBytes(1) : limits;
        Recording recording = new Recording();
        Reading.of(pool).limits(most).push(stream, Cuts.none(), recording);
        assertEquals(
                List.of(Terminal.MALFORMED, Terminal.END),
                recording.reports().stream().map(Reported::terminal).toList());
        assertEquals(payload, recording.reports().get(0).payload().length);
        assertEquals(trailer, recording.reports().get(0).trailer().length);
        assertEquals(
                Reading.outlines(recording.reports()),
                Reading.outlines(Reading.of(pool).limits(most).pull(stream, Cuts.none())));
        ResultException failure = recording.failures().get(0);
        return assertInstanceOf(ResultTooLargeException.class, failure);
    }
}
