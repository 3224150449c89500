// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.ResultListener;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.testing.Reported.Failure;
import io.tailrace.core.testing.Reported.Opened;
import io.tailrace.core.testing.Reported.Terminal;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A listener that writes down what it is told, and fails on the spot when it is told what it must not be: payload before
 * the opening or behind the trailer, two endings, an error without its place. Not final only in what it does besides.
 */
class Recording implements ResultListener {

    private static final byte[] NOTHING = {};

    private final List<Reported> reports = new ArrayList<>();
    private final List<ResultException> failures = new ArrayList<>();
    private final List<ResultSummary> summaries = new ArrayList<>();
    private ByteArrayOutputStream payload = new ByteArrayOutputStream();
    private ByteArrayOutputStream trailer = new ByteArrayOutputStream();
    private @Nullable ResultId id;
    private @Nullable Opened opened;
    private int callbacks;
    private long trace;

    List<Reported> reports() {
        return reports;
    }

    List<ResultException> failures() {
        return failures;
    }

    List<ResultSummary> summaries() {
        return summaries;
    }

    int callbacks() {
        return callbacks;
    }

    /** A number that two recordings share when they were called alike, with the same amounts of bytes. */
    long trace() {
        return trace;
    }

    private void called(int what, int length) {
        callbacks++;
        trace = trace * 1_000_003 + 7L * length + what;
    }

    @Override
    public void onOpen(ResultId result, String codecId) throws IOException {
        called(1, 0);
        assertNull(id, () -> result + " opened while " + id + " is open");
        id = result;
        opened = new Opened(0, 0, result.stage(), result.task(), result.attempt(), codecId, result.job());
        payload = new ByteArrayOutputStream();
        trailer = new ByteArrayOutputStream();
    }

    @Override
    public void onPayload(ByteBuf bytes) throws IOException {
        called(2, bytes.readableBytes());
        assertNotNull(id, "payload of no result");
        assertEquals(0, trailer.size(), "payload behind the trailer");
        assertTrue(bytes.isReadable(), "empty payload");
        bytes.getBytes(bytes.readerIndex(), payload, bytes.readableBytes());
    }

    @Override
    public void onTrailer(ByteBuf bytes) throws IOException {
        called(3, bytes.readableBytes());
        assertNotNull(id, "trailer of no result");
        assertTrue(bytes.isReadable(), "empty trailer");
        bytes.getBytes(bytes.readerIndex(), trailer, bytes.readableBytes());
    }

    @Override
    public void onEnd(ResultSummary summary) throws IOException {
        called(4, 0);
        assertEquals(id, summary.id());
        assertEquals(payload.size(), summary.payloadBytes());
        assertEquals(trailer.size(), summary.trailerBytes());
        summaries.add(summary);
        add(Terminal.END, false, "", null);
        id = null;
    }

    @Override
    public void onFailure(@Nullable ResultId failed, ResultException failure) {
        called(5, (int) failure.offset());
        assertEquals(id, failed, "the failed result");
        if (failed != null) {
            assertEquals(failed, failure.resultId(), failure::toString);
        }
        failures.add(failure);
        add(failure, over(failure));
        id = null;
    }

    /** The stream is over with an exception; that it was told for the open result, too, counts once. */
    void lost(ResultException failure) {
        assertTrue(over(failure), failure::toString);
        if (failures.isEmpty() || failures.get(failures.size() - 1) != failure) {
            assertNull(id, () -> id + " was never told of " + failure);
            failures.add(failure);
            opened = null;
            add(failure, true);
        }
    }

    /** The stream has ended cleanly. */
    void ended() {
        assertNull(id, () -> id + " was open at a clean end");
    }

    static boolean over(ResultException failure) {
        return failure instanceof TruncatedResultException
                || (failure instanceof MalformedDataException malformed && malformed.framingLost());
    }

    /** A sender may claim any 64 bits for what it had written; an offset is not made of all. */
    private static boolean countsBelowZero(ResultException failure) {
        return failure.offset() == ResultException.NONE
                && failure instanceof ResultFailedException failed
                && failed.failure().payloadBytes() < 0;
    }

    private void add(ResultException failure, boolean over) {
        assertTrue(failure.offset() >= 0 || countsBelowZero(failure), () -> "without an offset: " + failure);
        assertFalse(failure.reason().isEmpty(), failure::toString);
        if (id == null) {
            opened = null;
        }
        if (failure instanceof ResultFailedException failed) {
            Failure said = new Failure(
                    failed.failure().phase().code(),
                    failed.retriable(),
                    failed.failure().payloadBytes(),
                    failed.failure().frames(),
                    failed.failure().className(),
                    failed.failure().text(),
                    failed.failure().stack());
            add(Terminal.FAILURE, over, "", said);
        } else {
            Terminal terminal = failure instanceof TruncatedResultException ? Terminal.TRUNCATED : Terminal.MALFORMED;
            add(terminal, over, failure.reason(), null);
        }
    }

    private void add(Terminal terminal, boolean over, String reason, @Nullable Failure failure) {
        byte[] delivered = opened == null ? NOTHING : payload.toByteArray();
        byte[] behind = opened == null ? NOTHING : trailer.toByteArray();
        reports.add(new Reported(terminal, over, reason, 0, opened, delivered, behind, failure));
        opened = null;
    }
}
