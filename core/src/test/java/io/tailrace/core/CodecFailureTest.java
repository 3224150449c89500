// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.PackBits;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.RecordingSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.testing.SentFrame;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CodecFailureTest {

    private static final int CHUNK = 512;
    private static final Sample VALUE = new Sample(7, 600);
    private static final ResultId ID = new ResultId("job", 3, 4, 1);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder.Builder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool).window(4).sendingOn(threaded ? audit.executor() : null);
    }

    /** Writes the sample, and throws in front of one of its writes. */
    private record Throwing(int at, Supplier<Throwable> failure) implements ValueCodec<Sample> {
        @Override
        public String id() {
            return "throwing/1";
        }

        @Override
        public void encode(Sample value, WireOutput out) throws IOException {
            for (int i = 0; i < value.count(); i++) {
                if (i == at) {
                    throwAny(failure.get());
                }
                out.writeLong(value.at(i));
            }
            if (at == value.count()) {
                throwAny(failure.get());
            }
        }

        @Override
        public Sample decode(WireInput in) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whateverTheCodecThrowsAtAnyWriteIsToldToTheReceiver(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultEncoder encoder = encoder(pool, threaded).build();
        StackOverflowError overflow = assertThrows(StackOverflowError.class, CodecFailureTest::overflow);
        List<Supplier<Throwable>> failures = List.of(
                () -> new IllegalStateException("bad value"),
                () -> new IOException("bad source"),
                () -> overflow,
                () -> new OutOfMemoryError("injected"));
        int cases = 0;
        for (int k = 0; k <= VALUE.count(); k++) {
            for (Supplier<Throwable> failure : failures) {
                failsAt(k, failure.get(), pool, encoder);
                cases++;
            }
        }
        audit.cases(cases);
    }

    private void failsAt(int k, Throwable failure, ChunkPool pool, ResultEncoder encoder) throws IOException {
        RecordingSink sink = new RecordingSink();
        String where = failure + " at write " + k;
        Throwable thrown = assertThrows(
                Throwable.class, () -> encoder.encode(ID, new Throwing(k, () -> failure), VALUE, sink), where);
        assertSame(failure, thrown, where);
        audit.requireWhole();
        assertEquals(1, sink.terminalFrames(), where);
        assertEquals(0, sink.completions(), where);
        List<Received> results = Received.all(pool, sink.toByteArray());
        assertEquals(1, results.size(), where);
        Received result = results.get(0);
        assertFalse(result.complete(), where);
        assertTrue(VALUE.startsWith(result.payload()), where);
        assertTrue(result.payload().length <= k * Long.BYTES, where);
        ResultFailure told = result.told().failure();
        assertEquals(FailurePhase.ENCODING, told.phase(), where);
        assertEquals(failure.getClass().getName(), told.className(), where);
        assertEquals(failure.getMessage() == null ? "" : failure.getMessage(), told.text(), where);
        boolean retriable = failure instanceof IOException || failure instanceof OutOfMemoryError;
        assertEquals(retriable, told.retriable(), where);
        assertTrue(told.payloadBytes() >= result.payload().length, where);
        assertEquals(ID, result.id(), where);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void failureInTheTrailerNamesThatPhase(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        RecordingSink sink = new RecordingSink();
        try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "sample/1", sink)) {
            Sample.CODEC.encode(VALUE, writer.payload());
            writer.trailer().writeBytes(new byte[1_000], 0, 1_000);
            writer.fail(new IllegalArgumentException("metrics"));
        }
        Received result = Received.all(pool, sink.toByteArray()).get(0);
        assertEquals(FailurePhase.TRAILER, result.told().failure().phase());
        assertEquals("metrics", result.told().failure().text());
        assertEquals(1, sink.terminalFrames());
    }

    /** An error whose every accessor is as bad as user code can make it. */
    private static final class HostileException extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message for you");
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            throw new IllegalStateException("no stack for you");
        }

        @Override
        public String toString() {
            throw new IllegalStateException("no text for you");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void errorThatCannotBeDescribedEndsTheResultAllTheSame(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        RecordingSink sink = new RecordingSink();
        HostileException hostile = new HostileException();
        ValueCodec<Sample> codec = new Throwing(100, () -> hostile);
        ResultEncoder encoder = encoder(pool, threaded).build();
        assertSame(hostile, assertThrows(HostileException.class, () -> encoder.encode(ID, codec, VALUE, sink)));
        audit.requireWhole();
        assertEquals(1, sink.terminalFrames());
        ResultFailure told =
                Received.all(pool, sink.toByteArray()).get(0).told().failure();
        assertEquals(HostileException.class.getName(), told.className());
    }

    /** Writes at each level of a recursion that never ends: it overflows anywhere, also inside the writer. */
    private record Recursing(int step) implements ValueCodec<Sample> {
        @Override
        public String id() {
            return "recursing/1";
        }

        @SuppressWarnings("InfiniteRecursion") // that is what is tested
        @Override
        public void encode(Sample value, WireOutput out) throws IOException {
            for (int i = 0; i < step; i++) {
                out.writeLong(i);
            }
            encode(value, out);
        }

        @Override
        public Sample decode(WireInput in) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stackThatOverflowsInsideTheWriterLeavesNothingBehind(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultEncoder encoder = encoder(pool, threaded).build();
        int cases = LeakAudit.FULL ? 500 : threaded ? 15 : 70;
        int told = 0;
        for (int i = 0; i < cases; i++) {
            RecordingSink sink = new RecordingSink();
            ValueCodec<Sample> codec = new Recursing(1 + i % 70);
            assertThrows(Throwable.class, () -> encoder.encode(ID, codec, VALUE, sink));
            audit.requireWhole();
            assertTrue(sink.terminalFrames() <= 1);
            told += (int) sink.terminalFrames();
        }
        audit.cases(cases);
        audit.figure(told + " receivers were told");
    }

    @Test
    void firstWriteAtTheEndOfTheStackLeavesTheResultWritable(@TempDir Path directory) throws Exception {
        try (ChildJvm child =
                ChildJvm.of(DeepFirstWrite.class, directory).options("-Xint").start()) {
            List<String> lines = child.lines(Duration.ofMinutes(2));
            assertTrue(ChildJvm.number(lines, "overflows") > 500, lines::toString);
            assertEquals(0, ChildJvm.number(lines, "unusable"), lines::toString);
            assertEquals(0, ChildJvm.number(lines, "live"), lines::toString);
            assertEquals(0, ChildJvm.number(lines, "missing"), lines::toString);
        }
    }

    @ParameterizedTest(name = "window {0}, compressed {1}")
    @CsvSource({"1,false", "2,true"})
    void stackThatOverflowsInsideTheReaderLeavesNothingBehind(int window, boolean compressed) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        BlockCompression compression = compressed ? new PackBits() : null;
        RecordingSink sink = new RecordingSink();
        ResultEncoder.builder(pool)
                .compression(compression)
                .build()
                .encode(ID, Sample.CODEC, new Sample(7, 200_000), sink);
        byte[] stream = sink.toByteArray();
        int cases = LeakAudit.FULL ? 1_000 : 128;
        for (int i = 0; i < cases; i++) {
            int fillers = i % 64;
            FutureTask<@Nullable Void> reading = new FutureTask<>(() -> {
                ResultReader.Builder builder =
                        ResultReader.builder(pool).window(window).compression(compression);
                try (ResultReader reader = builder.open(Channels.newChannel(new ByteArrayInputStream(stream)))) {
                    assertTrue(reader.nextResult());
                    assertThrows(StackOverflowError.class, () -> fill(fillers, reader.payload()));
                    assertEquals(200_000 * Long.BYTES, reader.finish().payloadBytes(), "it goes on behind");
                }
                return null;
            });
            Thread thread = new Thread(null, reading, "tailrace-test-shallow", 256 << 10);
            thread.start();
            reading.get(20, TimeUnit.SECONDS);
            audit.requireWhole();
        }
        audit.cases(cases);
    }

    /** Each filler moves the place where the stack overflows. */
    private static long fill(int fillers, WireInput in) throws IOException {
        return fillers > 0 ? fill(fillers - 1, in) + 1 : deep(in);
    }

    @SuppressWarnings("InfiniteRecursion") // that is what is tested
    private static long deep(WireInput in) throws IOException {
        return in.readLong() + deep(in);
    }

    @Test
    void textsBeyondTheFrameAreShortenedAtACharacter() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        RecordingSink sink = new RecordingSink();
        String text = "\u00e4\u20ac\ud83d\ude00".repeat(5_000);
        try (ResultWriter writer = encoder(pool, false).build().open(ID, "sample/1", sink)) {
            writer.fail(new IOException(text));
        }
        ResultFailure told =
                Received.all(pool, sink.toByteArray()).get(0).told().failure();
        assertTrue(text.startsWith(told.text()), told.text());
        assertTrue(told.text().length() > 50, told.text());
        SentFrame failure = sink.frames().get(sink.frames().size() - 1);
        assertTrue(failure.bytes() <= CHUNK, failure.toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void errorSwallowedByTheCodecIsThrownByFinish(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        RecordingSink sink = new RecordingSink((chunk, bytes, taken) -> {
            if (chunk == 1) {
                throw new IOException("gone");
            }
        });
        try (ResultWriter writer = encoder(pool, threaded).build().open(ID, "sample/1", sink)) {
            for (int i = 0; i < 2_000; i++) {
                try {
                    writer.payload().writeLong(i);
                } catch (IOException swallowed) {
                    assertEquals(
                            FailurePhase.SINK,
                            ((ResultFailedException) swallowed).failure().phase());
                }
            }
            assertThrows(ResultFailedException.class, writer::finish);
        }
        assertEquals(0, sink.writesAfterFailure());
        assertEquals(0, sink.terminalFrames());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void throwingCompressorFailsTheResultInItsPhase(boolean threaded) throws IOException {
        PackBits real = new PackBits();
        for (Throwable failure : List.of(new IllegalStateException("native"), new UnsatisfiedLinkError("no lib"))) {
            ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
            RecordingSink sink = new RecordingSink();
            BlockCompression broken = new BlockCompression() {
                private int calls;

                @Override
                public int id() {
                    return real.id();
                }

                @Override
                public String implementation() {
                    return "broken";
                }

                @Override
                public int maxCompressedLength(int rawLength) {
                    return real.maxCompressedLength(rawLength);
                }

                @Override
                public int compress(byte[] src, int srcOff, int length, byte[] dst, int dstOff) {
                    if (calls++ == 3) {
                        if (failure instanceof Error e) {
                            throw e;
                        }
                        throw (RuntimeException) failure;
                    }
                    return real.compress(src, srcOff, length, dst, dstOff);
                }

                @Override
                public void expand(byte[] src, int srcOff, int length, byte[] dst, int dstOff, int rawLength)
                        throws MalformedDataException {
                    real.expand(src, srcOff, length, dst, dstOff, rawLength);
                }
            };
            ResultEncoder encoder = encoder(pool, threaded).compression(broken).build();
            ResultFailedException thrown =
                    assertThrows(ResultFailedException.class, () -> encoder.encode(ID, Sample.CODEC, VALUE, sink));
            assertSame(failure, thrown.getCause());
            assertEquals(FailurePhase.COMPRESSION, thrown.failure().phase());
            audit.requireWhole();
            Received result = Received.all(pool, sink.toByteArray(), real).get(0);
            assertEquals(FailurePhase.COMPRESSION, result.told().failure().phase());
            assertEquals(1, sink.terminalFrames());
        }
    }

    @SuppressWarnings("InfiniteRecursion") // that is what is tested
    private static int overflow() {
        return overflow() + 1;
    }

    private static void throwAny(Throwable e) throws IOException {
        if (e instanceof IOException io) {
            throw io;
        }
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        throw (Error) e;
    }
}
