// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;

/**
 * Typed values that the fuzzer makes: schemas with values of them, our own schema with a value that is broken, and values that
 * are written and read back. Nothing comes of it but a value or our own exception, with little memory taken and all of it
 * given back.
 *
 * <p>As an ordinary test it repeats the inputs kept in {@code src/test/resources/…/TypedValueFuzzTestInputs}. To fuzz, one
 * method at a time; crashes are kept there:
 *
 * <pre>
 * JAZZER_FUZZ=1 mvn -pl core,codec test -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dtest='TypedValueFuzzTest#schemasAndValuesAsTheFuzzerBuildsThem'
 * </pre>
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES) // fuzzing outlasts the usual minute
final class TypedValueFuzzTest {

    enum Colour {
        RED,
        GREEN,
        BLUE
    }

    sealed interface Figure permits Circle, Square, Group {}

    record Circle(double radius) implements Figure {}

    record Square(int side, @Nullable Colour colour) implements Figure {}

    record Group(List<Figure> parts) implements Figure {}

    record Node(String name, @Nullable Node left, @Nullable Node right) {}

    /** Everything is there, or else it does not matter which half of a schema the fuzzer makes. */
    record All(
            boolean flag,
            byte tiny,
            short small,
            char letter,
            int number,
            long big,
            float real,
            double exact,
            String text,
            Colour colour,
            Figure figure,
            List<Integer> numbers,
            List<@Nullable String> gaps,
            Map<String, List<Long>> scores,
            Set<String> names,
            Optional<Instant> when,
            BigDecimal decimal,
            LocalDate date,
            Map<Integer, Node> nodes,
            @Nullable Node node) {}

    /** Fields of which any may be missing, each of the kind that it has in {@link All}, or a wider one. */
    record Any(
            @Nullable Boolean flag,
            @Nullable Short tiny,
            @Nullable Long small,
            @Nullable Character letter,
            @Nullable Long number,
            @Nullable Long big,
            @Nullable Double real,
            @Nullable Double exact,
            @Nullable String text,
            @Nullable Colour colour,
            @Nullable Figure figure,
            @Nullable List<Double> numbers,
            @Nullable List<@Nullable String> gaps,
            @Nullable Map<String, List<Long>> scores,
            Optional<Instant> when,
            @Nullable BigDecimal decimal,
            @Nullable Map<Integer, Node> nodes,
            @Nullable Any any,
            @Nullable List<Any> more) {}

    /** A bean, whose properties may be missing too. */
    public static final class Bean {
        public int number = 1;
        public String text = "";
        public long[] longs = {};

        @Nullable
        public Bean any;

        @Nullable
        public Node node;
    }

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).shared(Node.class).build();

    private static final Derivation UNSHARED =
            Derivation.builder(MethodHandles.lookup()).build();

    private static final Codec<All> ALL = DERIVATION.of(All.class);
    private static final Codec<Any> ANY = DERIVATION.of(Any.class);

    private static final List<Codec<?>> READERS = List.of(
            ANY,
            DERIVATION.of(Bean.class),
            ALL,
            UNSHARED.of(Any.class),
            Codecs.list(DERIVATION.of(Node.class)),
            Codecs.map(Codecs.shared(Codecs.TEXT), DERIVATION.of(Figure.class)),
            Codecs.nullable(Codecs.list(Codecs.list(Codecs.LONG))));

    private static final Columns COLUMNS = Columns.builder()
            .nullableColumn("number", Columns.Type.LONG)
            .nullableColumn("text", Columns.Type.TEXT)
            .nullableColumn("exact", Columns.Type.DOUBLE)
            .build();

    private static final ResultId ID = new ResultId("fuzz", 1, 2, 0);
    private static final DecoderLimits LIMITS =
            DecoderLimits.DEFAULT.withPayloadBytes(1 << 20).withValueBytes(1 << 20);

    /** A reader is given a schema that is not its own, and what may be a value of it. */
    @FuzzTest(maxDuration = "10m")
    void schemasAndValuesAsTheFuzzerBuildsThem(FuzzedDataProvider data) throws IOException {
        boolean bytes = data.consumeBoolean();
        int reader = data.consumeInt(0, READERS.size() + 2);
        int buffer = data.consumeInt(1, 64);
        byte[] payload = bytes ? data.consumeRemainingAsBytes() : new Foreign(data).payload();
        within(payload.length, () -> {
            WireInput in = Payloads.input(payload, buffer, LIMITS);
            if (reader < READERS.size()) {
                return Codecs.value(READERS.get(reader)).decode(in);
            }
            return reader == READERS.size()
                    ? rows(in)
                    : drained(Codecs.each(ANY).decode(in));
        });
    }

    /** The value of a payload of ours is broken here and there, and goes through frames. */
    @FuzzTest(maxDuration = "10m")
    void brokenValuesUnderOurOwnSchema(FuzzedDataProvider data) throws IOException {
        int chunk = data.pickValue(CHUNKS);
        boolean each = data.consumeBoolean();
        int breaks = data.consumeInt(0, 5);
        ValueCodec<?> codec;
        byte[] payload;
        if (each) {
            ValueCodec<Iterator<All>> all = Codecs.each(ALL);
            codec = all;
            payload = Payloads.encode(all, List.of(all(data), all(data)).iterator(), 1_000);
        } else {
            ValueCodec<All> all = Codecs.value(ALL);
            codec = all;
            payload = Payloads.encode(all, all(data), 1_000);
        }
        int schema = Schema.bytes(ALL.shape()).length + 2;
        for (int i = 0; i < breaks; i++) {
            payload = broken(payload, schema, data);
        }
        byte[] sent = payload;
        within(payload.length, () -> {
            Object[] value = new Object[1];
            framed(new Bytes(codec.id()), sent, chunk, in -> value[0] = drained(codec.decode(in)));
            return value[0];
        });
    }

    /** What is written comes back, the same objects where they were the same, also to a reader of another version. */
    @FuzzTest(maxDuration = "10m")
    void valuesOfTheFuzzersChoosing(FuzzedDataProvider data) throws IOException {
        int chunk = data.pickValue(CHUNKS);
        All value = all(data);
        ValueCodec<All> codec = Codecs.value(ALL);
        framed(codec, value, chunk, in -> {
            All read = codec.decode(in);
            assertEquals(value, read);
            IdentityHashMap<Node, Node> seen = new IdentityHashMap<>();
            requireSame(value.node(), read.node(), seen);
            value.nodes().forEach((id, node) -> requireSame(node, read.nodes().get(id), seen));
            assertTrue(in.exhausted());
        });
        ValueCodec<Any> other = Codecs.value(ANY);
        framed(codec, value, chunk, in -> {
            Any read = other.decode(in);
            assertEquals(value.number(), read.number());
            assertEquals(value.text(), read.text());
            assertEquals(value.figure(), read.figure());
            assertEquals(value.scores(), read.scores());
            assertEquals(value.nodes(), read.nodes());
            assertEquals(value.numbers().stream().map(Integer::doubleValue).toList(), read.numbers());
            assertTrue(in.exhausted());
        });
    }

    private static void requireSame(@Nullable Node written, @Nullable Node read, IdentityHashMap<Node, Node> seen) {
        if (written == null || read == null) {
            assertSame(written, read);
            return;
        }
        Node before = seen.putIfAbsent(written, read);
        if (before != null) {
            assertSame(before, read);
            return;
        }
        requireSame(written.left(), read.left(), seen);
        requireSame(written.right(), read.right(), seen);
    }

    private interface Reading {
        @Nullable
        Object read() throws IOException;
    }

    /** Nothing but a value or our own exception, and no more memory than the bytes and what is taken ahead of them. */
    private static void within(int payload, Reading reading) throws IOException {
        long most = (8 << 20) + 512L * payload;
        long taken = taken(reading);
        if (taken > most) {
            taken = taken(reading); // classes are loaded now, and rewritten by the fuzzer
        }
        assertTrue(taken <= most, taken + " bytes of heap for " + payload);
    }

    private static long taken(Reading reading) throws IOException {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            reading.read();
        } catch (ResultException e) {
            assertTrue(e.offset() >= ResultException.NONE, e.getMessage());
        } catch (UncheckedIOException e) {
            if (!(e.getCause() instanceof ResultException)) {
                throw e;
            }
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    private static Object drained(Object value) {
        if (value instanceof Iterator<?> elements) {
            elements.forEachRemaining(element -> {});
        }
        return value;
    }

    private static @Nullable Object rows(WireInput in) throws IOException {
        RowReader rows = COLUMNS.reader(in);
        while (rows.next()) {
            if (!rows.isNull(1)) {
                rows.getText(1);
            }
        }
        return null;
    }

    private static final int[] CHUNKS = {512, 513, 600, 1_000, 4_096, 65_536};

    private interface Receiver {
        void receive(WireInput in) throws IOException;
    }

    /** Through a pool, which has all of its memory back afterwards. */
    private static <T> void framed(ValueCodec<T> codec, T value, int chunk, Receiver receiver) throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(chunk).build()) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
            ResultEncoder.builder(pool).build().encode(ID, codec, value, sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                receiver.receive(reader.payload());
            } finally {
                assertEquals(pool.budgetBytes(), pool.freeBytes(), pool::report);
            }
        }
    }

    /** Sends a payload as it is. */
    private record Bytes(String id) implements ValueCodec<byte[]> {
        @Override
        public void encode(byte[] value, WireOutput out) throws IOException {
            out.writeBytes(value, 0, value.length);
        }

        @Override
        public byte[] decode(WireInput in) {
            throw new UnsupportedOperationException();
        }
    }

    private static byte[] broken(byte[] payload, int from, FuzzedDataProvider data) {
        if (payload.length <= from) {
            return payload;
        }
        int at = data.consumeInt(from, payload.length - 1);
        switch (data.consumeInt(0, 4)) {
            case 0 -> payload[at] = data.consumeByte();
            case 1 -> payload[at] ^= (byte) (1 << data.consumeInt(0, 7));
            case 2 -> {
                return Arrays.copyOf(payload, at);
            }
            case 3 -> {
                byte[] more = data.consumeBytes(8);
                byte[] longer = Arrays.copyOf(payload, payload.length + more.length);
                System.arraycopy(payload, at, longer, at + more.length, payload.length - at);
                System.arraycopy(more, 0, longer, at, more.length);
                return longer;
            }
            default -> {
                int less = Math.min(data.consumeInt(1, 8), payload.length - at);
                byte[] shorter = Arrays.copyOf(payload, payload.length - less);
                System.arraycopy(payload, at + less, shorter, at, shorter.length - at);
                return shorter;
            }
        }
        return payload;
    }

    private static All all(FuzzedDataProvider data) {
        List<Node> nodes = new ArrayList<>();
        for (int i = data.consumeInt(0, 10); i > 0; i--) {
            nodes.add(new Node(data.consumeString(4), node(nodes, data), node(nodes, data)));
        }
        Map<Integer, Node> byId = new LinkedHashMap<>();
        for (int i = nodes.isEmpty() ? 0 : data.consumeInt(0, 6); i > 0; i--) {
            byId.put(data.consumeInt(), nodes.get(data.consumeInt(0, nodes.size() - 1)));
        }
        List<@Nullable String> gaps = new ArrayList<>();
        for (int i = data.consumeInt(0, 4); i > 0; i--) {
            gaps.add(data.consumeBoolean() ? null : data.consumeString(600));
        }
        Map<String, List<Long>> scores = new LinkedHashMap<>();
        for (int i = data.consumeInt(0, 3); i > 0; i--) {
            scores.put(
                    data.consumeString(5),
                    Arrays.stream(data.consumeLongs(4)).boxed().toList());
        }
        Set<String> names = new LinkedHashSet<>();
        for (int i = data.consumeInt(0, 3); i > 0; i--) {
            names.add(data.consumeString(20));
        }
        return new All(
                data.consumeBoolean(),
                data.consumeByte(),
                data.consumeShort(),
                data.consumeChar(),
                data.consumeInt(),
                data.consumeLong(),
                data.consumeFloat(),
                data.consumeDouble(),
                data.consumeString(5_000),
                data.pickValue(Colour.values()),
                figure(data, 0),
                Arrays.stream(data.consumeInts(20)).boxed().toList(),
                gaps,
                scores,
                names,
                data.consumeBoolean()
                        ? Optional.empty()
                        : Optional.of(Instant.ofEpochSecond(data.consumeInt(), data.consumeInt(0, 999_999_999))),
                new BigDecimal(new BigInteger(1, data.consumeBytes(12)), data.consumeInt()),
                LocalDate.ofEpochDay(data.consumeInt(-1_000_000, 1_000_000)),
                byId,
                node(nodes, data));
    }

    private static @Nullable Node node(List<Node> nodes, FuzzedDataProvider data) {
        int place = data.consumeInt(0, nodes.size());
        return place == nodes.size() ? null : nodes.get(place);
    }

    private static Figure figure(FuzzedDataProvider data, int level) {
        return switch (data.consumeInt(0, level == 4 ? 1 : 2)) {
            case 0 -> new Circle(data.consumeDouble());
            case 1 -> new Square(data.consumeInt(), data.consumeBoolean() ? null : Colour.GREEN);
            default -> {
                List<Figure> parts = new ArrayList<>();
                for (int i = data.consumeInt(0, 3); i > 0; i--) {
                    parts.add(figure(data, level + 1));
                }
                yield new Group(parts);
            }
        };
    }

    /** A schema of the fuzzer's, with names and parts of ours so that it fits often enough, and something like a value of it. */
    private static final class Foreign {
        private static final Kind[] KINDS = Kind.values();
        private static final Kind[] DEFINED = {Kind.RECORD, Kind.RECORD, Kind.UNION, Kind.ENUM, Kind.SHARED};

        private final FuzzedDataProvider data;
        private final List<Definition> definitions = new ArrayList<>();
        private final ByteArrayOutputStream to = new ByteArrayOutputStream();
        private int values;

        Foreign(FuzzedDataProvider data) {
            this.data = data;
        }

        byte[] payload() {
            for (int i = data.consumeInt(0, 4); i > 0; i--) {
                definitions.add(
                        new Definition(data.pickValue(DEFINED), data.pickValue(new String[] {"Node", "Any", ""})));
            }
            definitions.forEach(this::fill);
            Shape root = shape(0);
            if (data.consumeBoolean()) {
                root = Shape.of(Kind.EACH, root);
            }
            byte[] schema = Schema.bytes(root);
            if (data.consumeInt(0, 9) == 0) {
                schema[data.consumeInt(0, schema.length - 1)] = data.consumeByte();
            }
            varint(schema.length);
            to.writeBytes(schema);
            for (int i = root.kind() == Kind.EACH ? data.consumeInt(0, 4) : 1; i > 0; i--) {
                value(root.kind() == Kind.EACH ? root.part(0) : root, 0);
            }
            to.writeBytes(data.consumeRemainingAsBytes());
            return to.toByteArray();
        }

        private void fill(Definition definition) {
            if (definition.kind() == Kind.SHARED) {
                definition.add("value", shape(0));
                return;
            }
            for (int i = data.consumeInt(0, 6); i > 0; i--) {
                Definition ours = (data.consumeBoolean() ? ANY : ALL).shape().defined();
                int member = data.consumeInt(0, ours.size() - 1);
                String name = definition.kind() == Kind.RECORD
                        ? ours.member(member).name()
                        : data.pickValue(new String[] {"RED", "BLUE", "GREY", "Circle", "Square", "Group", "Blob"});
                if (definition.place(name) < 0) {
                    boolean same = definition.kind() == Kind.RECORD && data.consumeInt(0, 3) > 0;
                    definition.add(name, definition.kind() == Kind.ENUM ? null : same ? ours.shape(member) : shape(0));
                }
            }
        }

        private Shape shape(int level) {
            Kind kind = data.pickValue(KINDS);
            if (kind.defined()) {
                List<Definition> fitting = new ArrayList<>();
                Definition ours = ANY.shape().defined();
                fitting.add(ours);
                for (int i = 0; i < ours.size(); i++) {
                    Shape part = ours.shape(i);
                    fitting.add(
                            part.kind() == Kind.MAYBE && part.part(0).kind().defined()
                                    ? part.part(0).defined()
                                    : ours);
                }
                fitting.addAll(definitions);
                return Shape.of(data.pickValue(fitting));
            }
            if (kind == Kind.EACH || level > 3) {
                return Shape.of(Kind.INT);
            }
            Shape[] parts = new Shape[kind.parts()];
            for (int i = 0; i < parts.length; i++) {
                parts[i] = shape(level + 1);
            }
            return Shape.of(kind, parts);
        }

        private void varint(int value) {
            int rest = value;
            while ((rest & ~0x7F) != 0) {
                to.write((rest & 0x7F) | 0x80);
                rest >>>= 7;
            }
            to.write(rest);
        }

        private void bytes(int length) {
            to.writeBytes(Arrays.copyOf(data.consumeBytes(length), length));
        }

        private void value(Shape shape, int level) {
            if (level > 40 || ++values > 5_000) {
                return;
            }
            Kind kind = shape.kind();
            switch (kind) {
                case BOOLEAN -> to.write(data.consumeInt(0, 1));
                case BYTE, SHORT, CHAR, INT, LONG, FLOAT, DOUBLE -> bytes(kind.width);
                case TEXT -> {
                    int length = data.consumeInt(0, 20);
                    varint(length * 4 + data.consumeInt(0, 2));
                    bytes(length);
                }
                case BYTES, BOOLEANS, SHORTS, CHARS, INTS, LONGS, FLOATS, DOUBLES -> {
                    int count = data.consumeInt(0, 5);
                    varint(count);
                    bytes(count * width(kind));
                }
                case LIST, MAP -> {
                    int count = data.consumeInt(0, 5);
                    varint(count);
                    for (int i = 0; i < count; i++) {
                        shape.parts().forEach(part -> value(part, level + 1));
                    }
                }
                case MAYBE -> {
                    int there = data.consumeInt(0, 1);
                    to.write(there);
                    if (there == 1) {
                        value(shape.part(0), level + 1);
                    }
                }
                case ENUM -> varint(data.consumeInt(0, shape.defined().size()));
                case UNION -> {
                    int place = data.consumeInt(0, shape.defined().size());
                    varint(place);
                    if (place < shape.defined().size()) {
                        value(shape.defined().shape(place), level + 1);
                    }
                }
                case SHARED -> {
                    int back = data.consumeInt(0, 3);
                    varint(back);
                    if (back == 0) {
                        value(shape.defined().shape(0), level + 1);
                    }
                }
                case RECORD -> record(shape.defined(), level);
                case EACH -> throw new IllegalStateException("inside a value");
            }
        }

        private static int width(Kind kind) {
            return switch (kind) {
                case SHORTS, CHARS -> 2;
                case INTS, FLOATS -> 4;
                case LONGS, DOUBLES -> 8;
                default -> 1;
            };
        }

        private void record(Definition definition, int level) {
            RecordLayout layout = new RecordLayout(definition);
            byte[] marks = new byte[layout.markBytes()];
            for (int mark = 0; mark < layout.markCount(); mark++) {
                marks[mark >>> 3] |= (byte) (data.consumeInt(0, 1) << (mark & 7));
            }
            to.writeBytes(marks);
            for (int i = 0; i < definition.size(); i++) {
                if (layout.present(i, marks)) {
                    value(layout.bare(i), level + 1);
                }
            }
        }
    }
}
