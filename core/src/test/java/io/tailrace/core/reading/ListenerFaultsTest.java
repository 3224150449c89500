// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultListener;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Listeners that throw, keep, release too often, or close the decoder under themselves: one result fails, no neighbour. */
final class ListenerFaultsTest {

    private static final int RESULTS = 3;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ChunkPool pool;
    private byte[] plain;
    private byte[] compressed;

    @BeforeEach
    void build() {
        pool = audit.pool(ChunkPool.builder()
                .chunkBytes(Streams.CHUNK)
                .budgetBytes(16 * Streams.CHUNK)
                .paranoid(true));
        plain = stream(false);
        compressed = stream(true);
    }

    /** Three results; the callbacks of each are an opening, three of payload, two of trailer, and an ending. */
    private static byte[] stream(boolean compress) {
        FrameBytes stream = FrameBytes.connection().compression(1);
        for (int i = 0; i < RESULTS; i++) {
            stream.identity("etl", 3, i, 0).open();
            for (int k = 1; k <= 5; k++) {
                int kind = k <= 3 ? 2 : 3;
                if (compress) {
                    stream.compressed(kind, io.tailrace.core.testing.NaiveLz4.run(k, 100), 100);
                } else {
                    byte[] body = new byte[100];
                    Arrays.fill(body, (byte) k);
                    stream.frame(kind, body);
                }
            }
            stream.end();
        }
        return stream.toBytes();
    }

    private static final int CALLS = 7;

    @Test
    void whatACallbackThrowsFailsItsResultAlone() throws IOException {
        List<Throwable> thrown = List.of(
                new IOException("disk full"),
                new IllegalStateException("not now"),
                new AssertionError("an error"),
                new StackOverflowError(),
                new InterruptedException("undeclared"));
        for (byte[] stream : List.of(plain, compressed)) {
            for (Throwable each : thrown) {
                for (int k = 0; k < CALLS; k++) {
                    Faulty listener = new Faulty(k, each);
                    feed(stream, listener);
                    requireMiddleFailed(listener, each, "call " + k);
                    assertEquals(k == CALLS - 1 ? CALLS : k + 1, listener.callsOfMiddle, "calls before it was told");
                }
            }
        }
        audit.cases(2L * thrown.size() * CALLS);
    }

    @Test
    void exceptionOfAResultThrownByTheListenerIsItsOwn() throws IOException {
        ResultException own = new TruncatedResultException("the listener's own", 3, null);
        Faulty listener = new Faulty(2, own);
        feed(plain, listener);
        requireMiddleFailed(listener, own, "its own");
    }

    @Test
    void buffersMayBeKeptAndCountUntilTheyAreReleased() throws IOException {
        for (byte[] stream : List.of(plain, compressed)) {
            Keeping listener = new Keeping();
            try (ResultDecoder decoder = decoder(16, listener)) {
                assertTrue(decoder.accept(ByteBuffer.wrap(stream)));
                decoder.endOfInput();
                assertEquals(RESULTS * 5, listener.kept.size());
                assertTrue(pool.liveBytes() >= (long) RESULTS * 5 * Streams.CHUNK);
                for (int i = 0; i < listener.kept.size(); i++) {
                    byte[] expected = new byte[100];
                    Arrays.fill(expected, (byte) (i % 5 + 1));
                    byte[] actual = new byte[100];
                    listener.kept.get(i).readBytes(actual);
                    assertArrayEquals(expected, actual, "kept buffer " + i);
                }
            }
            assertEquals((long) RESULTS * 5 * Streams.CHUNK, pool.liveBytes(), "they outlive the decoder");
            assertTrue(pool.report().contains("READING"), pool::report);
            listener.kept.forEach(ByteBuf::release);
            assertEquals(0, pool.liveBytes());
        }
    }

    @Test
    void bufferReleasedWithoutBeingKeptFailsItsResultAlone() throws IOException {
        for (byte[] stream : List.of(plain, compressed)) {
            for (int k = 1; k < CALLS - 1; k++) {
                Faulty listener = new Faulty(k, null);
                feed(stream, listener);
                assertEquals(List.of(0L, 2L), listener.ended);
                ResultFailedException failure = assertInstanceOf(ResultFailedException.class, listener.failures.get(0));
                Throwable cause = assertInstanceOf(IllegalReferenceCountException.class, failure.getCause());
                assertTrue(cause.getMessage().contains("released twice"), cause::getMessage);
                assertTrue(cause.getMessage().contains("acquired by"), cause::getMessage);
                assertTrue(cause.getMessage().contains("released by"), cause::getMessage);
                assertTrue(cause.getMessage().contains("ListenerFaultsTest"), "where: " + cause.getMessage());
                audit.requireWhole();
            }
        }
        audit.cases(2L * (CALLS - 2));
    }

    @Test
    void keptBufferReleasedTwiceTellsBothPlaces() throws IOException {
        Keeping listener = new Keeping();
        try (ResultDecoder decoder = decoder(16, listener)) {
            decoder.accept(ByteBuffer.wrap(plain));
        }
        ByteBuf kept = listener.kept.remove(0);
        kept.release();
        IllegalReferenceCountException e = assertThrows(IllegalReferenceCountException.class, kept::release);
        assertTrue(e.getMessage().contains("acquired by") && e.getMessage().contains("released by"), e::getMessage);
        listener.kept.forEach(ByteBuf::release);
    }

    @Test
    void decoderMayBeClosedInAnyCallback() throws IOException {
        for (byte[] stream : List.of(plain, compressed)) {
            for (int k = 0; k < CALLS; k++) {
                Faulty listener = new Faulty(k, null);
                listener.closes = true;
                ResultException closed;
                try (ResultDecoder decoder = decoder(3, listener)) {
                    listener.decoder = decoder;
                    closed = assertThrows(ResultException.class, () -> decoder.accept(ByteBuffer.wrap(stream)));
                    assertSame(
                            closed, assertThrows(ResultException.class, () -> decoder.accept(ByteBuffer.wrap(stream))));
                    assertSame(closed, assertThrows(ResultException.class, decoder::endOfInput));
                }
                assertInstanceOf(TruncatedResultException.class, closed);
                assertTrue(closed.getMessage().contains("the decoder was closed"), closed::getMessage);
                boolean atEnd = k == CALLS - 1;
                assertEquals(atEnd ? List.of(0L, 1L) : List.of(0L), listener.ended, "call " + k);
                assertEquals(atEnd ? 0 : 1, listener.failures.size(), "call " + k);
                audit.requireWhole();
            }
        }
        audit.cases(2L * CALLS);
    }

    @Test
    void listenerThatThrowsWhenToldOfAFailureIsLoggedAndTheConnectionGoesOn() throws IOException {
        audit.expectWarnings();
        Faulty listener = new Faulty(3, new IOException("first")) {
            @Override
            public void onFailure(@Nullable ResultId id, ResultException failure) {
                super.onFailure(id, failure);
                throw new IllegalStateException("and again");
            }
        };
        feed(plain, listener);
        assertEquals(List.of(0L, 2L), listener.ended);
        assertEquals(1, listener.failures.size());
        assertEquals(1, audit.warnings().size(), () -> "" + audit.warnings());
    }

    @Test
    void undeclaredExceptionOfAListenerThatIsToldOfAFailureIsLoggedAndNothingIsKept() throws IOException {
        audit.expectWarnings();
        List<Throwable> thrown = List.of(new IOException("undeclared"), new InterruptedException("undeclared"));
        for (byte[] stream : List.of(plain, compressed)) {
            for (Throwable each : thrown) {
                for (int k = 0; k < CALLS; k++) {
                    Faulty listener = new Faulty(k, new IllegalStateException("first"));
                    listener.thrownWhenTold = failure -> each;
                    feed(stream, listener);
                    assertEquals(List.of(0L, 2L), listener.ended, "call " + k);
                }
                Faulty closed = new Faulty(-1, null);
                closed.thrownWhenTold = failure -> each;
                ResultDecoder decoder = decoder(3, closed);
                int inTheMiddle = Streams.frameOffsets(stream).get(CALLS + 4) - 1;
                decoder.accept(ByteBuffer.wrap(stream, 0, inTheMiddle));
                decoder.close();
                assertEquals(1, closed.failures.size());
                audit.requireWhole();
            }
        }
        assertEquals(2 * thrown.size() * (CALLS + 1), audit.warnings().size());
    }

    @Test
    void listenerMayThrowTheVeryFailureThatItIsTold() throws IOException {
        audit.expectWarnings();
        Faulty listener = new Faulty(2, new IllegalStateException("first"));
        listener.thrownWhenTold = failure -> failure;
        feed(plain, listener);
        assertEquals(List.of(0L, 2L), listener.ended);
        assertEquals(1, audit.warnings().size());
    }

    @Test
    void closingAnOpenDecoderTellsItsResultOnceAndNothingElse() throws IOException {
        List<Integer> offsets = Streams.frameOffsets(plain);
        for (int frame = 1; frame < offsets.size(); frame++) {
            Recording recording = new Recording();
            ResultDecoder decoder = decoder(3, recording);
            decoder.accept(ByteBuffer.wrap(plain, 0, offsets.get(frame)));
            int before = recording.reports().size();
            decoder.close();
            boolean between = (frame - 1) % CALLS == 0;
            assertEquals(before + (between ? 0 : 1), recording.reports().size(), "closed at frame " + frame);
            int callbacks = recording.callbacks();
            decoder.close();
            assertEquals(callbacks, recording.callbacks(), "closed again");
            audit.requireWhole();
        }
        audit.cases(offsets.size() - 1);
    }

    private ResultDecoder decoder(int window, ResultListener listener) throws IOException {
        return ResultReader.builder(pool)
                .window(window)
                .compression(new NaiveBlocks())
                .decoder(listener, () -> {});
    }

    private void feed(byte[] stream, Faulty listener) throws IOException {
        try (ResultDecoder decoder = decoder(3, listener)) {
            assertTrue(decoder.accept(ByteBuffer.wrap(stream)));
            decoder.endOfInput();
        }
        audit.requireWhole();
    }

    private static void requireMiddleFailed(Faulty listener, Throwable thrown, String what) {
        assertEquals(List.of(0L, 2L), listener.ended, what);
        assertEquals(1, listener.failures.size(), what);
        ResultFailedException failure = assertInstanceOf(ResultFailedException.class, listener.failures.get(0));
        assertSame(thrown, failure.getCause());
        assertEquals(FailurePhase.RECEIVING, failure.failure().phase());
        assertEquals(new ResultId("etl", 3, 1, 0), failure.resultId());
        assertFalse(failure.getMessage().isEmpty());
    }

    /** Does something wrong in one callback of the middle result: throws, or releases what it was lent, or closes. */
    private static class Faulty implements ResultListener {
        final List<Long> ended = new ArrayList<>();
        final List<ResultException> failures = new ArrayList<>();
        private final int faultyCall;
        private final @Nullable Throwable thrown;
        private @Nullable Function<ResultException, Throwable> thrownWhenTold;
        private boolean closes;
        private @Nullable ResultDecoder decoder;
        private long current = -1;
        private int callsOfMiddle;

        Faulty(int faultyCall, @Nullable Throwable thrown) {
            this.faultyCall = faultyCall;
            this.thrown = thrown;
        }

        @Override
        public void onOpen(ResultId id, String codecId) throws IOException {
            current = id.task();
            called(null);
        }

        @Override
        public void onPayload(ByteBuf payload) throws IOException {
            called(payload);
        }

        @Override
        public void onTrailer(ByteBuf trailer) throws IOException {
            called(trailer);
        }

        @Override
        public void onEnd(ResultSummary summary) throws IOException {
            called(null);
            ended.add(summary.id().task());
        }

        @Override
        public void onFailure(@Nullable ResultId id, ResultException failure) {
            assertEquals(1, current, "only the middle one fails");
            assertEquals(new ResultId("etl", 3, 1, 0), id);
            failures.add(failure);
            if (thrownWhenTold != null) {
                Faulty.<RuntimeException>throwUndeclared(thrownWhenTold.apply(failure));
            }
        }

        @SuppressWarnings("unchecked") // that is what is tested
        private static <E extends Throwable> void throwUndeclared(Throwable e) throws E {
            throw (E) e;
        }

        private void called(@Nullable ByteBuf lent) throws IOException {
            if (current != 1) {
                return;
            }
            if (callsOfMiddle++ == faultyCall) {
                if (thrown != null) {
                    Faulty.<IOException>throwUndeclared(thrown);
                }
                if (decoder != null && closes) {
                    decoder.close();
                } else if (lent != null) {
                    lent.release();
                }
            }
        }
    }

    /** Keeps every buffer. */
    private static final class Keeping implements ResultListener {
        private final List<ByteBuf> kept = new ArrayList<>();

        @Override
        public void onOpen(ResultId id, String codecId) {}

        @Override
        public void onPayload(ByteBuf payload) {
            kept.add(payload.retain());
        }

        @Override
        public void onTrailer(ByteBuf trailer) {
            kept.add(trailer.retain());
        }

        @Override
        public void onEnd(ResultSummary summary) {}

        @Override
        public void onFailure(@Nullable ResultId id, ResultException failure) {
            throw new AssertionError(failure);
        }
    }
}
