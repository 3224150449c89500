// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.testing.SentFrame;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LimitTest {

    private static final int CHUNK = 512;
    private static final Sample VALUE = new Sample(23, 500);
    private static final int PAYLOAD = VALUE.count() * Long.BYTES;
    private static final ResultId ID = new ResultId("job", 9, 8, 7);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder.Builder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool).window(4).sendingOn(threaded ? audit.executor() : null);
    }

    /** What a result is without limits: the same bytes each time. */
    private List<SentFrame> unlimited(ChunkPool pool) throws IOException {
        RecordingSink sink = new RecordingSink();
        encoder(pool, false).build().encode(ID, Sample.CODEC, VALUE, sink);
        return sink.frames();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void wireLimitIsCrossedAtTheExactFrame(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        List<SentFrame> frames = unlimited(pool);
        long sum = 0;
        int cases = 0;
        for (SentFrame crossing : frames) {
            long before = sum;
            sum += crossing.bytes();
            // One byte less than up to this frame's end, just that, one more.
            for (long limit = sum - 1; limit <= sum + 1; limit++) {
                RecordingSink sink = new RecordingSink();
                ResultEncoder encoder =
                        encoder(pool, threaded).maxWireBytes(limit).build();
                if (limit >= sum && crossing.kind() == SentFrame.END) {
                    encoder.encode(ID, Sample.CODEC, VALUE, sink);
                    assertTrue(Received.all(pool, sink.toByteArray()).get(0).complete());
                } else {
                    ResultTooLargeException thrown = assertThrows(
                            ResultTooLargeException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, sink));
                    assertEquals(limit, thrown.limit());
                    assertEquals("too many wire bytes", thrown.reason());
                    assertTrue(thrown.actual() > limit && thrown.actual() <= limit + CHUNK, thrown.toString());
                    assertTold(pool, sink, thrown);
                    long sent = sink.frames().stream()
                            .filter(frame -> frame.kind() == SentFrame.DATA)
                            .mapToLong(SentFrame::bytes)
                            .sum();
                    assertTrue(sent <= Math.max(before, limit), sent + " sent, limit " + limit);
                }
                cases++;
            }
        }
        audit.cases(cases);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void payloadLimitIsCrossedAtTheExactByte(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int cases = 0;
        for (int n = 0; n <= VALUE.count(); n += 7) {
            Sample value = new Sample(23, n);
            long size = (long) n * Long.BYTES;
            for (long limit = Math.max(0, size - 1); limit <= size + 1; limit++) {
                RecordingSink sink = new RecordingSink();
                ResultEncoder encoder =
                        encoder(pool, threaded).maxPayloadBytes(limit).build();
                if (limit >= size) {
                    ResultSummary summary = encoder.encode(ID, Sample.CODEC, value, sink);
                    assertEquals(size, summary.payloadBytes());
                } else {
                    ResultTooLargeException thrown = assertThrows(
                            ResultTooLargeException.class, () -> encoder.encode(ID, Sample.CODEC, value, sink));
                    assertEquals("too many payload bytes", thrown.reason());
                    assertEquals(limit, thrown.limit());
                    assertEquals(size, thrown.actual(), "the last chunk crosses");
                    assertTold(pool, sink, thrown);
                }
                cases++;
            }
        }
        audit.cases(cases);
    }

    @Test
    void nonsenseIsRefusedWhereItIsSet() {
        ResultEncoder.Builder builder = ResultEncoder.builder(audit.pool(CHUNK, CHUNK));
        for (long bytes : new long[] {-1, Long.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> builder.maxWireBytes(bytes));
            assertThrows(IllegalArgumentException.class, () -> builder.maxPayloadBytes(bytes));
            assertThrows(IllegalArgumentException.class, () -> builder.maxTrailerBytes(bytes));
            assertThrows(IllegalArgumentException.class, () -> builder.linger(Duration.ofNanos(bytes)));
        }
        @SuppressWarnings("NullAway") // what a caller without the checker may give
        Executable none = () -> builder.linger(null);
        assertThrows(IllegalArgumentException.class, none);
        builder.maxWireBytes(0)
                .maxPayloadBytes(0)
                .maxTrailerBytes(0)
                .linger(Duration.ZERO)
                .build();
    }

    @Test
    void encoderStopsAtTheChunkThatCrossesAndNotAtTheEnd() {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        for (int limit = 0; limit < PAYLOAD; limit += 97) {
            RecordingSink sink = new RecordingSink();
            try (ResultWriter writer =
                    encoder(pool, false).maxPayloadBytes(limit).build().open(ID, "sample/1", sink)) {
                WireOutput out = writer.payload();
                ResultTooLargeException thrown = assertThrows(ResultTooLargeException.class, () -> {
                    while (true) {
                        out.writeLong(1);
                    }
                });
                assertTrue(out.written() <= limit + CHUNK, out.written() + " written, limit " + limit);
                assertEquals(out.written(), thrown.actual());
                assertTrue(thrown.offset() <= limit, thrown.toString());
                assertSame(thrown, assertThrows(IOException.class, writer::finish));
            } catch (IOException e) {
                throw new AssertionError("limit " + limit, e);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void trailerLimitIsItsOwn(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int cases = 0;
        for (int size : new int[] {0, 1, 8, 400, 401, 512, 1_000, 4_096}) {
            for (int limit = Math.max(0, size - 1); limit <= size + 1; limit++) {
                RecordingSink sink = new RecordingSink();
                ResultEncoder encoder =
                        encoder(pool, threaded).maxTrailerBytes(limit).build();
                ResultTooLargeException thrown = null;
                try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
                    Sample.CODEC.encode(VALUE, writer.payload());
                    writer.trailer().writeBytes(new byte[size], 0, size);
                    assertEquals(size, writer.finish().trailerBytes());
                } catch (ResultTooLargeException e) {
                    thrown = e;
                }
                if (limit >= size) {
                    assertNull(thrown);
                    Received result = Received.all(pool, sink.toByteArray()).get(0);
                    assertTrue(result.complete());
                    assertEquals(size, result.trailer().length);
                } else {
                    assertEquals("too many trailer bytes", thrown.reason());
                    assertEquals(size, thrown.actual());
                    assertEquals(PAYLOAD, thrown.offset(), "says how far the payload got");
                    assertTold(pool, sink, thrown);
                }
                cases++;
            }
        }
        audit.cases(cases);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void limitIsTakenBeforeCompressionForPayloadAndAfterItForWire(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        byte[] zeros = new byte[20_000];
        PackBits blocks = new PackBits();
        RecordingSink sink = new RecordingSink();
        ResultEncoder.Builder builder = encoder(pool, threaded).compression(blocks);
        try (ResultWriter writer =
                builder.maxWireBytes(6_000).maxPayloadBytes(20_000).build().open(ID, "zeros/1", sink)) {
            writer.payload().writeBytes(zeros, 0, zeros.length);
            ResultSummary summary = writer.finish();
            assertTrue(summary.wireBytes() <= 6_000, summary.toString());
        }
        assertEquals(
                20_000, Received.all(pool, sink.toByteArray(), blocks).get(0).payload().length);
        try (ResultWriter writer = builder.maxPayloadBytes(19_999).build().open(ID, "zeros/1", new RecordingSink())) {
            assertThrows(ResultTooLargeException.class, () -> {
                writer.payload().writeBytes(zeros, 0, zeros.length);
                writer.finish();
            });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void outOfBandBytesCountLikeAllOthers(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        int size = 10 * (CHUNK - 32) + CHUNK / 2; // its rest goes by reference, too
        byte[] big = new byte[size];
        for (int limit : new int[] {size - 1, size, size + 1}) {
            RecordingSink sink = new RecordingSink();
            ResultEncoder encoder =
                    encoder(pool, threaded).maxPayloadBytes(limit).build();
            try (ResultWriter writer = encoder.open(ID, "bytes/1", sink)) {
                if (limit >= big.length) {
                    writer.payload().writeOutOfBand(big, 0, big.length);
                    assertEquals(size, writer.finish().payloadBytes());
                } else {
                    ResultTooLargeException thrown = assertThrows(
                            ResultTooLargeException.class,
                            () -> writer.payload().writeOutOfBand(big, 0, big.length));
                    assertEquals(size, thrown.actual());
                }
            }
            assertEquals(1, sink.terminalFrames());
        }
    }

    private static void assertTold(ChunkPool pool, RecordingSink sink, ResultTooLargeException thrown)
            throws IOException {
        assertEquals(0, pool.liveBytes(), pool.report());
        assertEquals(pool.budgetBytes(), pool.freeBytes());
        assertEquals(1, sink.terminalFrames());
        assertFalse(thrown.retriable());
        assertEquals(ID, thrown.resultId());
        assertTrue(thrown.offset() >= 0, "says how far it got");
        List<Received> results = Received.all(pool, sink.toByteArray());
        assertEquals(1, results.size());
        ResultFailure told = results.get(0).told().failure();
        assertEquals(FailurePhase.LIMIT, told.phase());
        assertFalse(told.retriable());
        assertTrue(thrown.offset() <= told.payloadBytes(), "what was sealed is part of what was written");
        assertTrue(VALUE.startsWith(results.get(0).payload()));
        assertTrue(told.text().contains(thrown.reason()), told.text());
    }
}
