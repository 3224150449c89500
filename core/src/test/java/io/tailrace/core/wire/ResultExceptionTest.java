// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;

final class ResultExceptionTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);

    @Test
    void messageSaysReasonLimitActualOffsetAndResult() {
        assertEquals(
                "too much (limit 10, actual 12) at offset 345 of result job/1/2#0",
                new ResultTooLargeException("too much", 10, 12, 345, ID).getMessage());
    }

    @Test
    void messageLeavesOutWhatIsNotKnown() {
        assertEquals("bad", new MalformedDataException("bad", -1).getMessage());
        assertEquals("bad at offset 0", new MalformedDataException("bad", 0).getMessage());
        assertEquals("bad in result job/1/2#0", new MalformedDataException("bad", -1, ID).getMessage());
        assertEquals("bad (limit 10)", new MalformedDataException("bad", 10, -1, -1, null).getMessage());
        assertEquals("bad (actual 12)", new MalformedDataException("bad", -1, 12, -1, null).getMessage());
    }

    @Test
    void partsAreReadableOneByOne() {
        ResultException e = new ResultTooLargeException("too much", 10, 12, 345, ID);
        assertEquals("too much", e.reason());
        assertEquals(10, e.limit());
        assertEquals(12, e.actual());
        assertEquals(345, e.offset());
        assertEquals(ID, e.resultId());
        assertNull(new MalformedDataException("bad", 0).resultId());
    }

    @Test
    void onlyAnAccidentIsRetriable() {
        assertTrue(new TruncatedResultException("stream ended", 1, ID).retriable());
        assertFalse(new MalformedDataException("bad", 1).retriable());
        assertFalse(new ResultTooLargeException("too much", 10, 12, 345, ID).retriable());
        assertFalse(new ResultCancelledException("cancelled", -1, ID).retriable());
        assertTrue(new ResultFailedException(failure(true), ID, null).retriable());
        assertFalse(new ResultFailedException(failure(false), ID, null).retriable());
    }

    @Test
    void failureSaysPhaseErrorAndBytesSoFar() {
        RuntimeException cause = new IllegalStateException("boom");
        ResultFailedException sender = new ResultFailedException(failure(false), ID, cause);
        assertEquals(
                "result failed in phase encoding: java.lang.IllegalStateException: boom at offset 77 of result job/1/2#0",
                sender.getMessage());
        assertSame(cause, sender.getCause());
        assertEquals(failure(false), sender.failure());
        assertNull(new ResultFailedException(failure(false), ID, null).getCause());
        ResultFailure silent = new ResultFailure(FailurePhase.CLOSED, "Error", "", "", 0, 1, false);
        assertEquals(
                "result failed in phase closed: Error at offset 0",
                new ResultFailedException(silent, null, null).getMessage());
    }

    @Test
    void undeliveredResultSaysItsFate() throws IOException, ClassNotFoundException {
        ResultFate fate = new ResultFate(ResultFate.Verdict.SUPERSEDED, "attempt 1 was faster", false);
        RuntimeException cause = new IllegalStateException("boom");
        UndeliveredResultException told = new UndeliveredResultException(fate, 77, ID, cause);
        assertEquals("result superseded: attempt 1 was faster at offset 77 of result job/1/2#0", told.getMessage());
        assertSame(fate, told.fate());
        assertSame(cause, told.getCause());
        assertFalse(told.retriable());
        ResultFate lost = new ResultFate(ResultFate.Verdict.LOST, "", true);
        UndeliveredResultException sent = new UndeliveredResultException(lost, -1, null, null);
        assertEquals("result lost", sent.getMessage());
        assertTrue(sent.retriable());
        assertEquals(lost, ((UndeliveredResultException) copied(sent)).fate());
        ResultFate accepted = new ResultFate(ResultFate.Verdict.ACCEPTED, "", false);
        assertThrows(IllegalArgumentException.class, () -> new UndeliveredResultException(accepted, -1, null, null));
    }

    @Test
    void verdictIsFoundByItsNumber() {
        for (ResultFate.Verdict verdict : ResultFate.Verdict.values()) {
            assertSame(verdict, ResultFate.Verdict.of(verdict.code()));
        }
        assertNull(ResultFate.Verdict.of(0));
        assertNull(ResultFate.Verdict.of(6));
    }

    @Test
    void exceptionSurvivesJavaSerialization() throws IOException, ClassNotFoundException {
        ResultFailedException sent = new ResultFailedException(failure(true), ID, null);
        ResultFailedException received = (ResultFailedException) copied(sent);
        assertEquals(sent.getMessage(), received.getMessage());
        assertEquals(sent.failure(), received.failure());
        assertEquals(ID, received.resultId());
    }

    private static Object copied(Object sent) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(sent);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return in.readObject();
        }
    }

    @Test
    void phaseIsFoundByItsNumber() {
        for (FailurePhase phase : FailurePhase.values()) {
            FailurePhase sent = phase == FailurePhase.RECEIVING ? FailurePhase.UNKNOWN : phase;
            assertSame(sent, FailurePhase.of(phase.code()));
        }
        assertSame(FailurePhase.ENCODING, FailurePhase.of(1));
        assertSame(FailurePhase.CLOSED, FailurePhase.of(8));
        assertSame(FailurePhase.UNKNOWN, FailurePhase.of(10));
        assertSame(FailurePhase.UNKNOWN, FailurePhase.of(-1));
    }

    @Test
    void limitsAreChangedOneByOneAndNeverNegative() {
        DecoderLimits limits = new DecoderLimits(1, 2, 3, 4);
        assertEquals(new DecoderLimits(9, 2, 3, 4), limits.withWireBytes(9));
        assertEquals(new DecoderLimits(1, 9, 3, 4), limits.withPayloadBytes(9));
        assertEquals(new DecoderLimits(1, 2, 9, 4), limits.withTrailerBytes(9));
        assertEquals(new DecoderLimits(1, 2, 3, 9), limits.withValueBytes(9));
        assertThrows(IllegalArgumentException.class, () -> limits.withWireBytes(-1));
        assertThrows(IllegalArgumentException.class, () -> limits.withValueBytes(-1));
    }

    private static ResultFailure failure(boolean retriable) {
        return new ResultFailure(
                FailurePhase.ENCODING, "java.lang.IllegalStateException", "boom", "at A.b", 77, 3, retriable);
    }
}
