// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.TruncatedResultException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.nio.channels.Channels;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an error in a value tells: where it was, of which result, and what the value's own class threw; and what is no such error. */
class ValueErrorTest {

    private static final ResultId ID = new ResultId("job", 3, 4, 1);
    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private interface Use<T> {
        void of(T it) throws IOException;
    }

    /** The result's bytes, whose payload is what was written. */
    private static byte[] result(String codecId, Use<ResultWriter> payload) throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(512).build()) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            try (ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, codecId, sink)) {
                payload.of(writer);
                writer.finish();
            }
            return sink.toByteArray();
        }
    }

    private static <E extends Throwable> E read(byte[] result, Class<E> type, Use<WireInput> decode)
            throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(512).build();
                ResultReader reader =
                        ResultReader.builder(pool).open(Channels.newChannel(new ByteArrayInputStream(result)))) {
            assertTrue(reader.nextResult());
            return assertThrows(type, () -> decode.of(reader.payload()));
        }
    }

    private static <T> ResultException writing(ValueCodec<T> codec, T value, FrameSink sink) {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(512).build()) {
            return assertThrows(
                    ResultException.class,
                    () -> ResultEncoder.builder(pool).build().encode(ID, codec, value, sink));
        }
    }

    private static <T> ResultException writing(ValueCodec<T> codec, T value) {
        return writing(codec, value, new MemorySink(FrameBatch.Purpose.FILE));
    }

    private static <T> byte[] payload(ValueCodec<T> codec, T value) throws IOException {
        return Payloads.encode(codec, value, 1 << 20);
    }

    record Flagged(long before, boolean flag, int after, String text) {}

    @Test
    void aFlagInABlockOfNumbersIsRefusedAtItsOwnOffset() throws IOException {
        ValueCodec<Flagged> codec = Codecs.value(DERIVATION.of(Flagged.class));
        byte[] payload = payload(codec, new Flagged(1, true, 2, ""));
        int flag = payload.length - 1 - Integer.BYTES - 1;
        payload[flag] = 2;
        for (int buffer : new int[] {1, 3, payload.length}) {
            MalformedDataException e =
                    assertThrows(MalformedDataException.class, () -> Payloads.decode(codec, payload, buffer));
            assertEquals("flag: boolean of value 2", e.reason());
            assertEquals(flag, e.offset());
        }
    }

    @Test
    void aMalformedSchemaIsPlacedInThePayload() {
        byte[] payload = {4, 1, 0, 0x30, 9}; // its length, version 1, no definitions, a list of kind 9
        MalformedDataException e = assertThrows(
                MalformedDataException.class, () -> Payloads.decode(Codecs.value(Codecs.list(Codecs.INT)), payload, 2));
        assertEquals("schema has unknown kind 9", e.reason());
        assertEquals(4, e.offset());
    }

    @Test
    void theResultIsToldWhereItIsRead() throws IOException {
        ValueCodec<List<Flagged>> codec = Codecs.value(Codecs.list(DERIVATION.of(Flagged.class)));
        byte[] payload = payload(codec, List.of(new Flagged(1, true, 2, "")));
        payload[payload.length - 1] = 3; // text of coding 3
        byte[] result = result(codec.id(), writer -> writer.payload().writeBytes(payload, 0, payload.length));
        MalformedDataException e = read(result, MalformedDataException.class, codec::decode);
        assertEquals("[0].text: unknown text coding 3", e.reason());
        assertEquals(payload.length - 1, e.offset());
        assertEquals(ID, e.resultId());
    }

    @Test
    void theResultIsToldWhereASchemaDoesNotFit() throws IOException {
        ValueCodec<Integer> written = Codecs.value(Codecs.INT);
        byte[] result = result(written.id(), writer -> written.encode(1, writer.payload()));
        ValueCodec<String> codec = Codecs.value(Codecs.TEXT);
        assertEquals(
                ID, read(result, MalformedDataException.class, codec::decode).resultId());
        Columns columns = Columns.builder().column("a", Columns.Type.INT).build();
        assertEquals(
                ID, read(result, MalformedDataException.class, columns::reader).resultId());
    }

    @Test
    void theResultIsToldWhereItIsWritten() {
        ResultException e = writing(Codecs.value(Codecs.list(Codecs.TEXT)), Arrays.asList("a", null));
        assertEquals("[1]: null where none may be", e.reason());
        assertEquals(ID, e.resultId());
        ResultException each =
                writing(Codecs.each(Codecs.TEXT), Arrays.asList("a", null).iterator());
        assertEquals("[1]: null where none may be", each.reason());
        assertEquals(ID, each.resultId());
    }

    @Test
    void theResultIsToldWithTheRowThatIsWrittenOrRead() throws IOException {
        Columns columns = Columns.builder().column("flag", Columns.Type.BOOLEAN).build();
        byte[] result = result(columns.id(), writer -> {
            RowWriter rows = columns.writer(writer.payload());
            rows.setBoolean(0, true).next();
            MalformedDataException e = assertThrows(MalformedDataException.class, rows::next);
            assertEquals("[1].flag: null where none may be", e.reason());
            assertEquals(ID, e.resultId());
            writer.payload().writeByte(7);
        });
        MalformedDataException e = read(result, MalformedDataException.class, in -> {
            RowReader rows = columns.reader(in);
            assertTrue(rows.next());
            rows.next();
        });
        assertEquals("[1].flag: boolean of value 7", e.reason());
        assertEquals(ID, e.resultId());
    }

    /** A bean that may throw what it declares. */
    public static final class Document {
        private int id;
        private String text = "";

        public Document() {}

        Document(int id) {
            this.id = id;
        }

        public int getId() {
            return id;
        }

        public void setId(int id) throws IOException {
            if (id == 99) {
                throw new IOException("not this one");
            }
            this.id = id;
        }

        public String getText() throws IOException {
            if (id == 7) {
                throw new IOException("the file is gone");
            }
            return text;
        }

        public void setText(String text) {
            this.text = text;
        }
    }

    @Test
    void anIoExceptionOfAnAccessorIsTheValuesNotTheSinks() throws IOException {
        ValueCodec<List<Document>> codec = Codecs.value(Codecs.list(DERIVATION.of(Document.class)));
        ResultException writing = writing(codec, List.of(new Document(1), new Document(7)));
        assertEquals("[1].text: java.io.IOException: the file is gone", writing.reason());
        assertEquals(MalformedDataException.class, writing.getClass());
        assertEquals(IOException.class, writing.getCause().getClass());
        assertEquals(ID, writing.resultId());
        byte[] payload = payload(codec, List.of(new Document(1), new Document(2)));
        payload[payload.length - 5] = 99;
        MalformedDataException reading =
                assertThrows(MalformedDataException.class, () -> Payloads.decode(codec, payload, 64));
        assertEquals("[1].id: java.io.IOException: not this one", reading.reason());
        assertEquals("not this one", reading.getCause().getMessage());
    }

    private static UncheckedIOException refusal(String why) {
        return new UncheckedIOException(new IOException(why));
    }

    @Test
    void anUncheckedIoExceptionOfAFunctionIsTheValues() throws IOException {
        ValueCodec<List<String>> to = Codecs.value(Codecs.list(Codecs.mapped(
                Codecs.INT,
                text -> {
                    throw refusal("no number");
                },
                i -> "")));
        ResultException writing = writing(to, List.of("a"));
        assertEquals("[0]: java.io.UncheckedIOException: java.io.IOException: no number", writing.reason());
        assertEquals(UncheckedIOException.class, writing.getCause().getClass());
        ValueCodec<String> from = Codecs.value(Codecs.mapped(Codecs.INT, String::length, i -> {
            throw refusal("no text");
        }));
        byte[] payload = payload(from, "abc");
        MalformedDataException reading =
                assertThrows(MalformedDataException.class, () -> Payloads.decode(from, payload, 64));
        assertEquals("java.io.UncheckedIOException: java.io.IOException: no text", reading.reason());
    }

    @Test
    void anUncheckedIoExceptionOfAnIteratorIsTheValues() {
        Iterator<String> lines = Stream.of("a", "b")
                .peek(line -> {
                    if (line.equals("b")) {
                        throw refusal("no line");
                    }
                })
                .iterator();
        ResultException e = writing(Codecs.each(Codecs.TEXT), lines);
        assertEquals("[1]: java.io.UncheckedIOException: java.io.IOException: no line", e.reason());
        assertEquals(ID, e.resultId());
    }

    private static List<Flagged> many() {
        return java.util.Collections.nCopies(1_000, new Flagged(1, true, 2, "some text"));
    }

    @Test
    void whatTheSinkThrowsStaysTheSinks() {
        IOException full = new IOException("disk full");
        FrameSink sink = new FrameSink() {
            @Override
            public void write(FrameBatch batch) throws IOException {
                throw full;
            }

            @Override
            public void close() {}
        };
        ResultException e = writing(Codecs.value(Codecs.list(DERIVATION.of(Flagged.class))), many(), sink);
        ResultFailedException failed = (ResultFailedException) e;
        assertEquals(FailurePhase.SINK, failed.failure().phase());
        assertSame(full, e.getCause());
    }

    /** Gives some of a payload, then throws. */
    private static WireInput broken(byte[] payload, Exception why) {
        Iterator<ByteBuf> buffers =
                List.of(Unpooled.wrappedBuffer(payload, 0, payload.length - 20)).iterator();
        return new WireInput(
                drained -> {
                    if (buffers.hasNext()) {
                        return buffers.next();
                    }
                    if (why instanceof RuntimeException unchecked) {
                        throw unchecked;
                    }
                    throw (IOException) why;
                },
                DecoderLimits.DEFAULT,
                ID);
    }

    @Test
    void whatTheSourceThrowsStaysTheSources() throws IOException {
        ValueCodec<List<Flagged>> codec = Codecs.value(Codecs.list(DERIVATION.of(Flagged.class)));
        byte[] payload = payload(codec, many());
        for (Exception why : new Exception[] {
            new IOException("connection reset"),
            MalformedDataException.framingLost("header checksum does not match", 1, 2, 3, ID),
            new IllegalStateException("the reader has gone on")
        }) {
            assertSame(why, assertThrows(why.getClass(), () -> codec.decode(broken(payload, why))));
        }
        IOException reset = new IOException("connection reset");
        ValueCodec<Iterator<Flagged>> each = Codecs.each(DERIVATION.of(Flagged.class));
        Iterator<Flagged> elements = each.decode(broken(payload(each, many().iterator()), reset));
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> elements.forEachRemaining(one -> {}));
        assertSame(reset, e.getCause());
        assertFalse(elements.hasNext());
    }

    @Test
    void aResultThatIsCutInsideAValueIsTruncated() throws IOException {
        ValueCodec<List<Flagged>> codec = Codecs.value(Codecs.list(DERIVATION.of(Flagged.class)));
        byte[] result = result(codec.id(), writer -> codec.encode(many(), writer.payload()));
        TruncatedResultException e =
                read(Arrays.copyOf(result, result.length / 2), TruncatedResultException.class, codec::decode);
        assertEquals(ID, e.resultId());
        assertEquals(null, e.getCause());
    }

    @Test
    void aFrameThatIsMalformedInsideAValueIsToldAsItIs() throws IOException {
        ValueCodec<List<Flagged>> codec = Codecs.value(Codecs.list(DERIVATION.of(Flagged.class)));
        byte[] result = result(codec.id(), writer -> codec.encode(many(), writer.payload()));
        result[result.length / 2] ^= 1;
        MalformedDataException e = read(result, MalformedDataException.class, codec::decode);
        assertTrue(e.reason().endsWith("checksum does not match"), e.reason());
        assertEquals(ID, e.resultId());
        assertEquals(null, e.getCause());
    }

    record Nick(int id, Optional<String> nick) {}

    record Count(int id, OptionalInt number) {}

    /** A bean that has none. */
    @SuppressWarnings("NullableOptional") // that it may be null is the matter
    public static final class NoNick {
        public @Nullable Optional<String> nick = Optional.empty();
        public OptionalLong number = OptionalLong.empty();
    }

    private static <T> String refused(Class<T> type, T value) {
        return writing(Codecs.value(DERIVATION.of(type)), value).reason();
    }

    @Test
    @SuppressWarnings({"NullAway", "NullOptional"}) // null where none may be is the matter
    void anOptionalIsNeverNull() throws IOException {
        assertEquals("nick: null where none may be", refused(Nick.class, new Nick(1, null)));
        assertEquals("number: null where none may be", refused(Count.class, new Count(1, null)));
        NoNick bean = new NoNick();
        bean.number = null;
        assertEquals("number: null where none may be", refused(NoNick.class, bean));
        assertEquals(
                "[0]: null where none may be",
                writing(Codecs.value(Codecs.list(Codecs.optional(Codecs.TEXT))), Arrays.asList((Optional<String>) null))
                        .reason());
    }

    @Test
    @SuppressWarnings("NullableOptional") // that it may be null is the matter
    void anOptionalIsNullWhereTheFieldSaysSo() throws IOException {
        ValueCodec<NoNick> codec = Codecs.value(DERIVATION.of(NoNick.class));
        NoNick bean = new NoNick();
        for (@Nullable Optional<String> nick : Arrays.asList(null, Optional.<String>empty(), Optional.of("n"))) {
            bean.nick = nick;
            assertEquals(nick, Payloads.decode(codec, payload(codec, bean), 7).nick);
        }
    }

    @Test
    void sourceThatGivesNoIteratorIsAnErrorInTheValue() throws IOException {
        IllegalStateException gone = new IllegalStateException("gone");
        Iterable<String> broken = () -> {
            throw gone;
        };
        Stream<String> used = Stream.of("a");
        assertEquals(1, used.count());
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(512).build()) {
            ResultEncoder encoder = ResultEncoder.builder(pool).build();
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            MalformedDataException thrown = assertThrows(
                    MalformedDataException.class, () -> encoder.encode(ID, Codecs.iterable(Codecs.TEXT), broken, sink));
            assertSame(gone, thrown.getCause());
            assertEquals(ID, thrown.resultId());
            thrown = assertThrows(
                    MalformedDataException.class, () -> encoder.encode(ID, Codecs.stream(Codecs.TEXT), used, sink));
            assertTrue(thrown.getCause() instanceof IllegalStateException, thrown.toString());
        }
    }
}
