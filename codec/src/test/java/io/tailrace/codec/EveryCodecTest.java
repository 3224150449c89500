// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each codec that there is, fed with all that is nearly a value: it gives a value or one of our exceptions, takes no memory for
 * what never comes, and keeps no chunk.
 */
class EveryCodecTest {

    /** What may be taken ahead, and for all that is small. */
    private static final long MOST_TAKEN = (1 << 20) + (128 << 10);

    private static final ResultId ID = new ResultId("job", 1, 1, 0);
    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** Reads a payload to the end of its value, or of its elements. */
    interface Reading {
        void from(WireInput in) throws IOException;
    }

    /** A payload and who reads it; {@code counted} where its end can be told from a cut. */
    record Subject(String name, boolean counted, Reading reading, Bytes payload) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Bytes that are not compared. */
    static final class Bytes {
        final byte[] all;

        Bytes(byte[] all) {
            this.all = all;
        }
    }

    enum Colour {
        RED,
        BLUE
    }

    record Line(@Nullable String text, int number, boolean flag, Optional<Colour> colour, List<Colour> more) {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Older(int number, String gone, boolean[] goneToo, Colour colour) {}

    record Newer(long number, Optional<String> added, Colour colour) {}

    /** A bean. */
    public static final class Bean {
        public int open = 7;
        public String name = "bean";
        public List<String> more = List.of("a");
    }

    sealed interface Figure permits Circle, Square {}

    record Circle(double radius) implements Figure {}

    record Square(short side, Figure inside) implements Figure {}

    private static final Columns COLUMNS = Columns.builder()
            .column("flag", Columns.Type.BOOLEAN)
            .column("tiny", Columns.Type.BYTE)
            .column("small", Columns.Type.SHORT)
            .column("letter", Columns.Type.CHAR)
            .column("number", Columns.Type.INT)
            .column("id", Columns.Type.LONG)
            .column("ratio", Columns.Type.FLOAT)
            .nullableColumn("price", Columns.Type.DOUBLE)
            .nullableColumn("comment", Columns.Type.TEXT)
            .column("blob", Columns.Type.BYTES)
            .build();

    private static <T> Subject whole(String name, ValueCodec<T> codec, T value) throws IOException {
        return new Subject(name, true, codec::decode, new Bytes(Payloads.encode(codec, value, 1 << 20)));
    }

    private static <T> Subject value(String name, Codec<T> codec, T value) throws IOException {
        return whole(name, Codecs.value(codec), value);
    }

    private static Stream<Subject> plain() throws IOException {
        return Stream.of(
                value("BOOLEAN", Codecs.BOOLEAN, true),
                value("BYTE", Codecs.BYTE, (byte) 1),
                value("SHORT", Codecs.SHORT, (short) 1),
                value("CHAR", Codecs.CHAR, 'a'),
                value("INT", Codecs.INT, 1),
                value("LONG", Codecs.LONG, 1L),
                value("FLOAT", Codecs.FLOAT, 1f),
                value("DOUBLE", Codecs.DOUBLE, 1d),
                value("TEXT", Codecs.TEXT, "text \u4e2d"),
                value("BYTES", Codecs.BYTES, new byte[] {1, 2, 3}),
                value("BYTE_BUFFER", Codecs.BYTE_BUFFER, ByteBuffer.allocate(3)),
                value("BOOLEANS", Codecs.BOOLEANS, new boolean[] {true, false, true}),
                value("SHORTS", Codecs.SHORTS, new short[] {1, 2, 3}),
                value("CHARS", Codecs.CHARS, new char[] {1, 2, 3}),
                value("INTS", Codecs.INTS, new int[] {1, 2, 3}),
                value("LONGS", Codecs.LONGS, new long[] {1, 2, 3}),
                value("FLOATS", Codecs.FLOATS, new float[] {1, 2, 3}),
                value("DOUBLES", Codecs.DOUBLES, new double[] {1, 2, 3}),
                value("BIG_INTEGER", Codecs.BIG_INTEGER, BigInteger.TEN),
                value("BIG_DECIMAL", Codecs.BIG_DECIMAL, new BigDecimal("1.25")),
                value("UUID", Codecs.UUID, new UUID(1, 2)),
                value("OPTIONAL_INT", Codecs.OPTIONAL_INT, OptionalInt.of(1)),
                value("OPTIONAL_LONG", Codecs.OPTIONAL_LONG, OptionalLong.of(1)),
                value("OPTIONAL_DOUBLE", Codecs.OPTIONAL_DOUBLE, OptionalDouble.of(1)));
    }

    private static Stream<Subject> composed() throws IOException {
        List<String> texts = List.of("a", "\u4e2d");
        Map<String, List<Integer>> map = new LinkedHashMap<>();
        map.put("a", List.of(1, 2));
        map.put("b", List.of());
        return Stream.of(
                value("nullable", Codecs.nullable(Codecs.TEXT), "a"),
                value("optional", Codecs.optional(Codecs.TEXT), Optional.of("a")),
                value("mapped", Codecs.mapped(Codecs.TEXT, n -> "" + n, Integer::valueOf), 12),
                value("list", Codecs.list(Codecs.TEXT), texts),
                value("collection", Codecs.collection(Codecs.TEXT), texts),
                value("consumedList", Codecs.consumedList(Codecs.TEXT), new ArrayList<>(texts)),
                value("consumedArray", Codecs.consumedArray(Codecs.TEXT, String[]::new), texts.toArray(new String[0])),
                value("shared", Codecs.list(Codecs.shared(Codecs.TEXT)), List.of("a", "\u4e2d", "a")),
                value("set", Codecs.set(Codecs.TEXT), new TreeSet<>(texts)),
                value("array", Codecs.array(Codecs.TEXT, String[]::new), texts.toArray(new String[0])),
                value("map", Codecs.map(Codecs.TEXT, Codecs.list(Codecs.INT)), map),
                value("enumeration", Codecs.enumeration(Colour.class), Colour.BLUE),
                value("value", Codecs.list(Codecs.list(Codecs.INTS)), List.of(List.of(new int[] {1}, new int[0]))));
    }

    private static Stream<Subject> derived() throws IOException {
        ValueCodec<Older> older = Codecs.value(DERIVATION.of(Older.class));
        Older old = new Older(1, "gone", new boolean[] {true, false}, Colour.RED);
        DerivationTest.Wide wide = new DerivationTest.Wide();
        wide.a = "a";
        return Stream.of(
                value(
                        "record",
                        Codecs.list(DERIVATION.of(Line.class)),
                        List.of(
                                new Line("a", 1, true, Optional.of(Colour.RED), List.of(Colour.BLUE)),
                                new Line("b", 2, false, Optional.empty(), List.of()))),
                value("bean", Codecs.list(DERIVATION.of(Bean.class)), List.of(new Bean(), new Bean())),
                value("sealed type", DERIVATION.of(Figure.class), new Square((short) 1, new Circle(0.5))),
                value("wide bean", DERIVATION.of(DerivationTest.Wide.class), wide),
                new Subject(
                        "record of another version",
                        true,
                        Codecs.value(DERIVATION.of(Newer.class))::decode,
                        new Bytes(Payloads.encode(older, old, 1 << 20))));
    }

    private static <E> void all(Iterator<E> elements) throws IOException {
        try {
            elements.forEachRemaining(element -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Stream<Subject> uncounted() throws IOException {
        ValueCodec<Iterator<Square>> each = Codecs.each(DERIVATION.of(Square.class));
        Square square = new Square((short) 1, new Circle(2));
        byte[] payload = Payloads.encode(each, List.of(square, square).iterator(), 1 << 20);
        return Stream.of(
                new Subject("each", false, in -> all(each.decode(in)), new Bytes(payload)),
                new Subject(
                        "iterable",
                        false,
                        in -> all(Codecs.iterable(DERIVATION.of(Square.class))
                                .decode(in)
                                .iterator()),
                        new Bytes(payload)),
                new Subject(
                        "stream",
                        false,
                        in -> all(Codecs.stream(DERIVATION.of(Square.class))
                                .decode(in)
                                .iterator()),
                        new Bytes(payload)),
                new Subject(
                        "streamOf",
                        false,
                        in -> all(Codecs.streamOf(each).decode(in).iterator()),
                        new Bytes(payload)),
                new Subject(
                        "iterableOf",
                        false,
                        in -> all(Codecs.iterableOf(each).decode(in).iterator()),
                        new Bytes(payload)),
                new Subject(
                        "consumedListOf",
                        false,
                        in -> Codecs.consumedListOf(each).decode(in),
                        new Bytes(payload)),
                new Subject("rows", false, in -> rows(COLUMNS, in), new Bytes(rows())),
                new Subject(
                        "rows of which a column is read",
                        false,
                        in -> rows(
                                Columns.builder()
                                        .column("number", Columns.Type.LONG)
                                        .build(),
                                in),
                        new Bytes(rows())));
    }

    private static void rows(Columns columns, WireInput in) throws IOException {
        RowReader rows = columns.reader(in);
        while (rows.next()) {
            for (int i = 0; i < columns.count(); i++) {
                if (columns.type(i) == Columns.Type.TEXT) {
                    rows.getText(i);
                }
            }
        }
    }

    private static byte[] rows() throws IOException {
        ValueCodec<Integer> rows = new ValueCodec<>() {
            @Override
            public String id() {
                return COLUMNS.id();
            }

            @Override
            public void encode(Integer count, WireOutput out) throws IOException {
                RowWriter writer = COLUMNS.writer(out);
                for (int i = 0; i < count; i++) {
                    writer.setBoolean(0, true)
                            .setByte(1, (byte) 1)
                            .setShort(2, (short) 1)
                            .setChar(3, 'a')
                            .setInt(4, 1)
                            .setLong(5, 1)
                            .setFloat(6, 1)
                            .setText(8, i == 0 ? "text" : null)
                            .setBytes(9, new byte[] {1})
                            .next();
                }
            }

            @Override
            public Integer decode(WireInput in) {
                throw new UnsupportedOperationException();
            }
        };
        return Payloads.encode(rows, 2, 1 << 20);
    }

    static Stream<Subject> subjects() throws IOException {
        return Stream.of(plain(), composed(), derived(), uncounted()).flatMap(some -> some);
    }

    @Test
    void noneIsMissing() throws IOException {
        Set<String> named = new HashSet<>();
        subjects().forEach(subject -> named.add(subject.name()));
        Arrays.stream(Codecs.class.getFields())
                .filter(field -> field.getType() == Codec.class)
                .forEach(field -> assertTrue(named.contains(field.getName()), field.getName()));
        for (Method method : Codecs.class.getMethods()) {
            if (method.getReturnType() == Codec.class || method.getReturnType() == ValueCodec.class) {
                assertTrue(named.contains(method.getName()), method.getName());
            }
        }
    }

    /** Nothing but a value or one of ours; returns which. */
    private static boolean refused(Subject subject, byte[] payload, int buffer) throws IOException {
        try {
            subject.reading().from(Payloads.input(payload, buffer, DecoderLimits.DEFAULT));
            return false;
        } catch (ResultException e) {
            assertTrue(e instanceof MalformedDataException || e instanceof ResultTooLargeException, e.toString());
            assertTrue(e.offset() >= 0 && e.offset() <= payload.length, e.getMessage());
            return true;
        }
    }

    /** The same, and how much memory it took. */
    private static void requireLittle(Subject subject, byte[] payload, int buffer) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        refused(subject, payload, buffer);
        long taken = THREADS.getCurrentThreadAllocatedBytes() - before;
        if (taken > MOST_TAKEN) { // a class may have been loaded
            before = THREADS.getCurrentThreadAllocatedBytes();
            refused(subject, payload, buffer);
            taken = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(taken <= MOST_TAKEN, taken + " bytes for a payload of " + payload.length);
    }

    private static byte[] flipped(byte[] payload, int bit) {
        byte[] flipped = payload.clone();
        flipped[bit >>> 3] ^= (byte) (1 << (bit & 7));
        return flipped;
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void everyTruncationIsSeenWhereTheEndIsKnown(Subject subject) throws IOException {
        byte[] payload = subject.payload().all;
        for (int buffer : new int[] {1, payload.length}) {
            assertEquals(false, refused(subject, payload, buffer));
            for (int length = 0; length < payload.length; length++) {
                boolean refused = refused(subject, Arrays.copyOf(payload, length), buffer);
                assertTrue(refused || !subject.counted(), "cut to " + length);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void everyFlippedBitGivesAValueOrOneOfOursAndTakesLittleMemory(Subject subject) throws IOException {
        byte[] payload = subject.payload().all;
        for (int buffer : new int[] {1, 7, payload.length}) {
            for (int bit = 0; bit < 8 * payload.length; bit++) {
                requireLittle(subject, flipped(payload, bit), buffer);
            }
        }
    }

    /** 2³¹ − 1, 2³² − 1, 2²⁰, 2⁵; a text of 2³⁰ bytes; the longest varint. */
    private static final int[][] LIES = {
        {0xFF, 0xFF, 0xFF, 0xFF, 0x07},
        {0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
        {0x80, 0x80, 0x40},
        {0x20},
        {0x80, 0x80, 0x80, 0x80, 0x10},
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}
    };

    @ParameterizedTest
    @MethodSource("subjects")
    void aLengthOrCountThatLiesAnywhereTakesLittleMemory(Subject subject) throws IOException {
        byte[] payload = subject.payload().all;
        for (int[] lie : LIES) {
            for (int at = 0; at < payload.length; at++) {
                byte[] lying = Arrays.copyOf(payload, at + lie.length + 3);
                for (int i = 0; i < lie.length; i++) {
                    lying[at + i] = (byte) lie[i];
                }
                requireLittle(subject, lying, lying.length);
                requireLittle(subject, lying, 2);
            }
        }
    }

    @Test
    void aCountThatLiesInsideAnotherTakesNoMoreThanOne() throws IOException {
        ValueCodec<List<List<long[]>>> codec = Codecs.value(Codecs.list(Codecs.list(Codecs.LONGS)));
        byte[] empty = Payloads.encode(codec, List.of(), 1 << 20);
        byte[] lying = Arrays.copyOf(empty, empty.length + 11);
        for (int i = 0; i < 3; i++) {
            System.arraycopy(new byte[] {-1, -1, -1, 7}, 0, lying, empty.length - 1 + 4 * i, 4);
        }
        Subject subject = new Subject("lists of arrays", true, codec::decode, new Bytes(empty));
        assertTrue(refused(subject, lying, 64));
        requireLittle(subject, lying, 64);
    }

    private static void throughFrames(ChunkPool pool, Subject subject, byte[] payload) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, "", sink)) {
            writer.payload().writeBytes(payload, 0, payload.length);
            writer.finish();
        }
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            try {
                subject.reading().from(reader.payload());
            } catch (ResultException e) {
                assertEquals(ID, e.resultId(), e.toString());
            }
            reader.finish(); // the frames were in order: only the value was not
        }
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void noChunkIsKeptAndTheResultIsToldWhateverComes(Subject subject) throws IOException {
        byte[] payload = subject.payload().all;
        ChunkPool pool = audit.pool(ChunkPool.builder().chunkBytes(512));
        for (int length = 0; length < payload.length; length++) {
            throughFrames(pool, subject, Arrays.copyOf(payload, length));
        }
        for (int bit = 0; bit < 8 * payload.length; bit += 3) {
            throughFrames(pool, subject, flipped(payload, bit));
        }
        audit.requireWhole();
        audit.cases(payload.length + 8L * payload.length / 3);
    }

    @Test
    void nullIsRefusedWhereverItMayNotBe() {
        List<String> list = Arrays.asList("a", null);
        Map<String, String> value = new LinkedHashMap<>();
        value.put("k", null);
        Map<String, String> key = new LinkedHashMap<>();
        key.put(null, "v");
        Codec<String> text = Codecs.TEXT;
        refusedNull("[1]: ", Codecs.list(text), list);
        refusedNull("[1]: ", Codecs.collection(text), list);
        refusedNull("[1]: ", Codecs.consumedList(text), new ArrayList<>(list));
        refusedNull("[1]: ", Codecs.array(text, String[]::new), list.toArray(new String[0]));
        refusedNull("[1]: ", Codecs.set(text), new java.util.LinkedHashSet<>(list));
        refusedNull("[k]: ", Codecs.map(text, text), value);
        refusedNull("[0]: ", Codecs.map(text, text), key);
        refusedNull("", text, null);
        refusedNull("", Codecs.list(text), null);
        refusedNull("", DERIVATION.of(Figure.class), null);
        refusedNull("inside: ", DERIVATION.of(Square.class), new Square((short) 1, null));
        refusedNull("[0]: ", Codecs.list(DERIVATION.of(Figure.class)), Arrays.asList((Figure) null));
    }

    private static <T> void refusedNull(String path, Codec<T> codec, T value) {
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> Payloads.encode(Codecs.value(codec), value, 1 << 20));
        assertEquals(path + "null where none may be", e.reason());
        assertTrue(e.offset() > 0, e.getMessage());
    }
}
