// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultDecoder;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.ReferenceDecoder;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Lengths that lie, under checksums that do not: refused before any memory is taken for them. */
final class LengthFieldsTest {

    private static final int CHUNK = 1024;
    private static final int DECLARED = 768;

    /** Around zero, the header, the declared chunk, the reader's chunk, the largest chunk, and both ends of the signed numbers. */
    private static final long[] LENGTHS = {
        0,
        1,
        31,
        32,
        DECLARED - 32,
        DECLARED - 31,
        DECLARED,
        CHUNK - 32,
        CHUNK - 31,
        CHUNK,
        (16 << 20) - 32,
        (16 << 20) - 31,
        0x7FFF_FFFFL,
        0x7FFF_FFE0L,
        0x8000_0000L,
        0x8000_0001L,
        0xFFFF_FFDFL,
        0xFFFF_FFE0L,
        0xFFFF_FFE1L,
        0xFFFF_FFFFL
    };

    private static final int[] KINDS = {0x01, 0x02, 0x03, 0x04, 0x05, 0x42, 0x80};
    private static final int BODY = 100;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @Test
    void everyFieldOfEveryKindIsRefusedBeforeMemoryIsTaken() throws IOException {
        long cases = 0;
        for (int kind : KINDS) {
            for (long wire : LENGTHS) {
                for (long raw : LENGTHS) {
                    for (int flags = 0; flags < 2; flags++) {
                        requireRefused(kind, flags, wire, raw, false);
                        requireRefused(kind, flags, wire, raw, true);
                        cases += 2;
                    }
                }
            }
        }
        audit.cases(cases);
    }

    /** A frame with these lengths and a body of another, inside a result or in place of its opening. */
    private void requireRefused(int kind, int flags, long wire, long raw, boolean first) throws IOException {
        FrameBytes stream = FrameBytes.connection().chunkSize(DECLARED).compression(1);
        stream.whole(new byte[10], new byte[0]); // so that the reader has its first chunk already
        if (!first) {
            stream.open();
        }
        stream.frame(kind, new byte[BODY]).flags(flags).wireLength(wire).rawLength(raw);
        byte[] bytes = stream.toBytes();
        String what = "kind %02x flags %d wire %x raw %x first %b".formatted(kind, flags, wire, raw, first);

        ChunkPool pool =
                ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(8 * CHUNK).build();
        Recording recording = new Recording();
        try (ResultDecoder decoder = Reading.of(pool).builder().decoder(recording, () -> {})) {
            decoder.accept(ByteBuffer.wrap(bytes));
            decoder.endOfInput();
        } catch (ResultException e) {
            recording.lost(e);
        }
        assertEquals(CHUNK, pool.peakLiveBytes(), () -> what + ": more than the one chunk that was there");
        assertEquals(0, pool.liveBytes(), pool::report);
        pool.close();

        List<Reported> reports = recording.reports();
        assertEquals(
                1, reports.stream().filter(r -> r.terminal() == Terminal.END).count(), () -> what + reports);
        assertTrue(reports.size() > 1, what);
        assertEquals(
                Reading.outlines(ReferenceDecoder.decode(bytes, CHUNK)),
                Reading.outlines(reports),
                () -> what + reports);
    }

    @Test
    void readersChunkBoundsWhatOneResultHoldsWhateverItDeclares() throws IOException {
        for (int chunk : new int[] {512, 1024, 65_536}) {
            ChunkPool pool = audit.pool(chunk, 16L * chunk);
            byte[] payload = new byte[200_000];
            Arrays.fill(payload, (byte) 7);
            FrameBytes stream = FrameBytes.connection().chunkSize(65_536).whole(payload, payload);
            stream.chunkSize(512).whole(new byte[2_000], new byte[0]);
            List<Reported> reports = Reading.of(pool).push(stream.toBytes(), Cuts.none());
            Terminal first = chunk < 65_536 ? Terminal.MALFORMED : Terminal.END;
            assertEquals(
                    List.of(first, Terminal.END),
                    reports.stream().map(Reported::terminal).toList(),
                    "a reader with chunks of " + chunk);
            assertEquals(chunk, pool.peakLiveBytes());
        }
    }

    @Test
    void claimsOfManyResultsHoldNoMoreThanOneChunk() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 64 * CHUNK);
        FrameBytes stream = FrameBytes.connection().chunkSize(CHUNK);
        for (int i = 0; i < 1_000; i++) {
            stream.open().data(new byte[10]).rawLength(0xFFFF_FFF0L).flags(1).end();
        }
        List<Reported> reports = Reading.of(pool).push(stream.toBytes(), Cuts.none());
        assertEquals(1_000, reports.size());
        assertTrue(reports.stream().allMatch(report -> report.terminal() == Terminal.MALFORMED));
        assertEquals(CHUNK, pool.peakLiveBytes());
        audit.cases(1_000);
    }

    @Test
    void reservedByteIsToldAsItStands() {
        ChunkPool pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        for (int value = 1; value < 256; value++) {
            byte[] stream = FrameBytes.connection().open().reserved(value).toBytes();
            ResultDecoder decoder = Reading.of(pool).builder().decoder(new Recording(), () -> {});
            ResultException e =
                    assertThrows(MalformedDataException.class, () -> decoder.accept(ByteBuffer.wrap(stream)));
            assertEquals(value, e.actual());
            decoder.close();
        }
        audit.cases(255);
    }

    @Test
    void totalBeyondTheSignedNumbersIsToldAsTheLargestOfThem() throws IOException {
        ChunkPool pool = audit.pool(Streams.CHUNK, 8 * Streams.CHUNK);
        for (int field = 0; field < 4; field++) {
            for (int first = 0x7F; first <= 0xFF; first++) {
                byte[] total = new byte[8];
                Arrays.fill(total, (byte) 0xFF);
                total[7] = (byte) first;
                byte[] stream = FrameBytes.connection()
                        .open()
                        .data("data")
                        .trailer(new byte[3])
                        .end()
                        .bodyAt(8 * field, total)
                        .toBytes();
                Recording recording = new Recording();
                Reading.of(pool).push(stream, Cuts.none(), recording);
                assertEquals(Long.MAX_VALUE, recording.failures().get(0).actual(), "total " + field);
            }
        }
        audit.cases(4 * 0x81);
    }
}
