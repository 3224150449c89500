// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.kryo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Serializer;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import com.esotericsoftware.kryo.kryo5.serializers.JavaSerializer;
import com.esotericsoftware.kryo.kryo5.util.Pool;
import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Payloads;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Values and elements by Kryo: what comes back, what goes wrong, and who has the Kryo then. */
class KryoCodecsTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final int[] SIZES = {64, 65, 100, 1_000, 1 << 16};
    private static final int[] FRAGMENTS = {1, 2, 3, 7, 64, 1 << 20};

    /** The most that a value may take here, and what may be taken for it besides. */
    private static final int VALUE_BYTES = 1 << 20;

    private static final long MOST_TAKEN = 4 << 20;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    record Line(
            long id,
            double price,
            int quantity,
            String symbol,
            @Nullable String comment) {}

    /** As it is written by hand: two fields, one of them a length. */
    static final class Node {
        @Nullable
        Node next;

        @Nullable
        Object any;

        List<String> names = new ArrayList<>();
        Map<String, Integer> counts = new HashMap<>();
    }

    enum Colour {
        RED,
        BLUE
    }

    /** Takes no bytes when there are no references. */
    static final class Nothing {}

    static Kryo kryo(boolean references) {
        Kryo kryo = new Kryo();
        kryo.setReferences(references);
        for (Class<?> type : List.of(
                Line.class,
                Node.class,
                Nothing.class,
                Colour.class,
                ArrayList.class,
                HashMap.class,
                LinkedHashMap.class,
                TreeMap.class,
                HashSet.class,
                Object[].class,
                String[].class,
                Line[].class,
                byte[].class,
                int[].class,
                long[].class,
                double[].class,
                float[].class,
                boolean[].class,
                char[].class,
                short[].class,
                BigInteger.class,
                BigDecimal.class)) {
            kryo.register(type);
        }
        kryo.register(RuntimeException.class, new JavaSerializer());
        return kryo;
    }

    private static final KryoCodecs PLAIN =
            KryoCodecs.builder(() -> kryo(false)).build();
    private static final KryoCodecs SHARING =
            KryoCodecs.builder(() -> kryo(true)).build();

    private static Line line(int i) {
        String comment =
                i % 7 == 0 ? null : i % 5 == 0 ? "\u4e2d\u6587 and more " + i : "a comment of a usual length " + i;
        return new Line(i * 1_000_003L, i / 8.0, -i, "SYM" + i % 100, comment);
    }

    private static List<Line> lines(int count) {
        return new ArrayList<>(
                IntStream.range(0, count).mapToObj(KryoCodecsTest::line).toList());
    }

    /** Of all kinds. */
    private static List<Object> things() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", 1);
        map.put("b", new ArrayList<>(Arrays.asList(1, 2L, null, "text", 'c', (short) 3, (byte) 4, 1.5, 2.5f, true)));
        List<Object> all = new ArrayList<>(lines(20));
        all.addAll(
                Arrays.asList("", "a", "text", "x".repeat(40), "\u00e9", "\u4e2d\ud83d\ude00", null, Colour.BLUE, map));
        all.add(new HashSet<>(List.of("a", "b")));
        all.add(BigInteger.ONE.shiftLeft(300));
        all.add(new BigDecimal("12345678901234567890.123"));
        all.add(IntStream.range(-300, 300).toArray());
        all.add(new Random(1).longs(200).toArray());
        all.add(new Random(1).doubles(200).toArray());
        all.add(new float[] {1, Float.NaN});
        all.add(new boolean[] {true, false});
        all.add("chars".toCharArray());
        all.add(new short[] {1, -1});
        all.add(new byte[500]);
        all.add(new String[] {"a", null, "c"});
        all.add(new Line[] {line(1), null});
        return all;
    }

    private static Object[] comparable(Object value) {
        return new Object[] {value instanceof List<?> list ? list.toArray() : value};
    }

    private static byte[] kryos(Consumer<Output> write) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Output out = new Output(bytes)) {
            write.accept(out);
        }
        return bytes.toByteArray();
    }

    @Test
    void valuesOfAllKindsAreWhatKryoWritesAndComeBackInAnyFragments() throws IOException {
        List<Object> things = things();
        for (boolean references : new boolean[] {false, true}) {
            Kryo kryo = kryo(references);
            ValueCodec<Object> codec = (references ? SHARING : PLAIN).value();
            byte[] expected = kryos(out -> kryo.writeClassAndObject(out, things));
            for (int size : SIZES) {
                assertArrayEquals(expected, Payloads.encode(codec, (Object) things, size));
            }
            for (int size : FRAGMENTS) {
                List<?> read = (List<?>) Payloads.decode(codec, expected, size);
                for (int i = 0; i < things.size(); i++) {
                    Object thing = things.get(i);
                    assertArrayEquals(comparable(thing), comparable(read.get(i)));
                }
            }
        }
    }

    @Test
    void cyclesAndSharedObjectsStayWhatTheyAre() throws IOException {
        Node node = new Node();
        node.next = new Node();
        node.next.next = node;
        node.any = node.next.names;
        node.names.add("a name");
        node.counts.put("a", 1);
        ValueCodec<Node> codec = SHARING.value(Node.class);
        for (int size : SIZES) {
            Node read = Payloads.decode(codec, Payloads.encode(codec, node, size), size);
            Node second = read.next;
            assertNotNull(second);
            assertSame(read, second.next);
            assertSame(second.names, read.any);
            assertEquals(List.of("a name"), read.names);
            assertEquals(Map.of("a", 1), read.counts);
        }
    }

    @Test
    void elementsAreAPlainStreamOfKryos() throws IOException {
        List<Line> lines = lines(100);
        lines.set(3, none());
        for (boolean references : new boolean[] {false, true}) {
            Kryo kryo = kryo(references);
            ValueCodec<Iterator<Line>> codec = (references ? SHARING : PLAIN).each(Line.class);
            byte[] expected = kryos(out -> lines.forEach(line -> kryo.writeObjectOrNull(out, line, Line.class)));
            for (int size : SIZES) {
                assertArrayEquals(expected, Payloads.encode(codec, lines.iterator(), size));
            }
            for (int size : FRAGMENTS) {
                WireInput in = Payloads.input(expected, size, DecoderLimits.DEFAULT);
                assertEquals(lines, drained(codec.decode(in)));
            }
            assertEquals(List.of(), drained(codec.decode(Payloads.input(new byte[0], 1, DecoderLimits.DEFAULT))));
        }
    }

    private static <E> List<E> drained(Iterator<E> elements) {
        List<E> all = new ArrayList<>();
        elements.forEachRemaining(all::add);
        return all;
    }

    @Test
    void eachElementIsAGraphOfItsOwnWhetherTheKryoResetsOrNot() throws IOException {
        for (boolean autoReset : new boolean[] {true, false}) {
            KryoCodecs codecs = KryoCodecs.builder(() -> {
                        Kryo kryo = kryo(true);
                        kryo.setAutoReset(autoReset);
                        return kryo;
                    })
                    .build();
            Node node = new Node();
            node.next = node;
            ValueCodec<Iterator<Node>> codec = codecs.each(Node.class);
            byte[] payload = Payloads.encode(codec, List.of(node, node).iterator(), 64);
            assertArrayEquals(
                    Arrays.copyOf(payload, payload.length / 2),
                    Arrays.copyOfRange(payload, payload.length / 2, payload.length));
            List<Node> read = drained(codec.decode(Payloads.input(payload, 3, DecoderLimits.DEFAULT)));
            assertNotSame(read.get(0), read.get(1));
            assertSame(read.get(1), read.get(1).next);
        }
    }

    @Test
    void wholeResultsGoThroughFramesAsStreamsIterablesAndConsumedLists() throws IOException {
        ValueCodec<Iterator<Line>> each = PLAIN.each(Line.class);
        List<Line> lines = lines(5_000);
        through(Codecs.streamOf(each), lines.stream(), codec -> codec.toList(), lines);
        through(
                Codecs.iterableOf(each),
                lines,
                all -> {
                    List<Line> read = new ArrayList<>();
                    all.forEach(read::add);
                    return read;
                },
                lines);
        List<Line> consumed = new ArrayList<>(lines);
        through(Codecs.consumedListOf(each), consumed, all -> all, lines);
        assertTrue(consumed.stream().allMatch(line -> line == null));
        through(each, lines.iterator(), KryoCodecsTest::drained, lines);
        through(PLAIN.value(ArrayList.class), new ArrayList<Object>(lines), all -> all, lines);
    }

    private interface Drain<T> {
        Object from(T value);
    }

    private static <T> void through(ValueCodec<T> codec, T value, Drain<T> drain, Object expected) throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(1_000).build()) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            ResultEncoder.builder(pool).build().encode(ID, codec, value, sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                assertEquals(expected, drain.from(reader.decode(codec)));
                reader.finish();
            }
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                assertThrows(MalformedDataException.class, () -> reader.decode(Codecs.value(Codecs.TEXT)));
            }
        }
    }

    @Test
    void aKryoThatNeedsNoRegistrationIsRefusedUnlessItIsAllowed() throws IOException {
        KryoCodecs.Builder builder = KryoCodecs.builder(() -> {
            Kryo kryo = new Kryo();
            kryo.setRegistrationRequired(false);
            return kryo;
        });
        String told =
                assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertTrue(told.contains("allowUnregistered()"), told);
        ValueCodec<Object> codec = builder.allowUnregistered().build().value();
        assertEquals(line(1), Payloads.decode(codec, Payloads.encode(codec, (Object) line(1), 64), 1));
    }

    private static final class Counted extends Pool<Kryo> {
        private int made;

        Counted() {
            super(false, false);
        }

        @Override
        protected Kryo create() {
            made++;
            return kryo(true);
        }
    }

    @Test
    void aKryoComesBackAfterAValueAndIsDroppedAfterAFailure() throws IOException {
        Counted pool = new Counted();
        KryoCodecs codecs = KryoCodecs.builder(pool).build();
        ValueCodec<Object> value = codecs.value();
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        byte[] payload = Payloads.encode(value, (Object) lines(10), 100);
        Payloads.decode(value, payload, 3);
        byte[] elements = Payloads.encode(each, lines(10).iterator(), 100);
        drained(each.decode(Payloads.input(elements, 3, DecoderLimits.DEFAULT)));
        assertEquals(1, pool.made);
        assertEquals(1, pool.getFree());

        List<Object> unregistered = new ArrayList<>(lines(3));
        unregistered.add(new Object());
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> Payloads.encode(value, (Object) unregistered, 100));
        assertTrue(e.getMessage().contains("not registered"), e.getMessage());
        assertEquals(0, pool.getFree());
        assertArrayEquals(payload, Payloads.encode(value, (Object) lines(10), 100));
        assertEquals(2, pool.made);
        assertThrows(
                MalformedDataException.class,
                () -> Payloads.decode(value, Arrays.copyOf(payload, payload.length / 2), 100));
        assertEquals(0, pool.getFree());
        assertEquals(lines(10), Payloads.decode(value, payload, 100));
        assertEquals(3, pool.made);
        Iterator<Line> cut =
                each.decode(Payloads.input(Arrays.copyOf(elements, elements.length - 1), 9, DecoderLimits.DEFAULT));
        assertThrows(UncheckedIOException.class, () -> drained(cut));
        assertFalse(cut.hasNext());
        assertEquals(0, pool.getFree());
    }

    @Test
    void whatIsWrongWithAnElementIsToldWithItsIndexAndOffset() throws IOException {
        ValueCodec<Iterator<Nothing>> nothings = PLAIN.each(Nothing.class);
        byte[] one = Payloads.encode(nothings, List.of(new Nothing()).iterator(), 64);
        assertEquals(1, one.length); // not null
        KryoCodecs silent = KryoCodecs.builder(() -> {
                    Kryo kryo = new Kryo();
                    kryo.setReferences(false);
                    kryo.register(Nothing.class, new Silent());
                    return kryo;
                })
                .build();
        ValueCodec<Iterator<Nothing>> codec = silent.each(Nothing.class);
        assertTold("[0]", 0, () -> Payloads.encode(codec, List.of(new Nothing()).iterator(), 64));
        assertTold("no bytes", 0, () -> drained(codec.decode(Payloads.input(new byte[1], 64, DecoderLimits.DEFAULT))));
        byte[] lines = Payloads.encode(PLAIN.each(Line.class), lines(3).iterator(), 64);
        assertTold(
                "ends inside",
                lines.length - 1,
                () -> drained(PLAIN.each(Line.class)
                        .decode(Payloads.input(Arrays.copyOf(lines, lines.length - 1), 64, DecoderLimits.DEFAULT))));
        assertTold("null", 0, () -> Payloads.encode(PLAIN.value(Line.class), none(), 64));
        assertTold("null", 1, () -> Payloads.decode(PLAIN.value(int[].class), new byte[1], 64));
        assertNull(Payloads.decode(PLAIN.value(), new byte[1], 64));
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // null where none may be
    private static <T> T none() {
        return null;
    }

    private interface Failing {
        Object run() throws IOException;
    }

    private static void assertTold(String what, long at, Failing failing) {
        Throwable thrown = assertThrows(Exception.class, failing::run);
        Throwable told = thrown instanceof UncheckedIOException ? thrown.getCause() : thrown;
        MalformedDataException malformed = assertInstanceOf(MalformedDataException.class, told);
        assertTrue(malformed.getMessage().contains(what), malformed.getMessage());
        assertEquals(at, malformed.offset(), malformed.getMessage());
    }

    /** Writes nothing, not even whether there is one. */
    private static final class Silent extends Serializer<Nothing> {
        Silent() {
            super(true);
        }

        @Override
        public void write(Kryo kryo, Output output, Nothing object) {}

        @Override
        public Nothing read(Kryo kryo, Input input, Class<? extends Nothing> type) {
            return new Nothing();
        }
    }

    @Test
    void whatIsNestedTooDeepIsOurExceptionOnBothSides() throws IOException {
        Node first = new Node();
        Node last = first;
        for (int i = 0; i < 100_000; i++) {
            last.next = new Node();
            last = last.next;
        }
        ValueCodec<Node> codec = PLAIN.value(Node.class);
        String told = assertThrows(MalformedDataException.class, () -> Payloads.encode(codec, first, 1_000))
                .getMessage();
        assertTrue(told.contains("nested too deep") && told.length() < 2_000, told);
        Kryo kryo = kryo(false);
        byte[] one = kryos(out -> kryo.writeClassAndObject(out, new Object[] {"x"}));
        byte[] deep = new byte[300_000];
        for (int i = 0; i < deep.length; i++) {
            deep[i] = one[i % 2];
        }
        assertThrows(MalformedDataException.class, () -> Payloads.decode(PLAIN.value(), deep, 1_000));
        KryoCodecs shallow = KryoCodecs.builder(() -> {
                    Kryo limited = kryo(false);
                    limited.setMaxDepth(10);
                    return limited;
                })
                .build();
        assertThrows(MalformedDataException.class, () -> Payloads.decode(shallow.value(), deep, 1_000));
    }

    @Test
    void aSinksOwnExceptionComesOutAsItWas() throws IOException {
        for (Exception own : List.of(new IOException("sink"), new IllegalStateException("sink"))) {
            WireOutput out = new WireOutput(new TwoRegions(own), 0);
            List<Object> lines = new ArrayList<>(lines(1_000));
            assertSame(own, assertThrows(Exception.class, () -> PLAIN.value().encode(lines, out)));
            WireOutput again = new WireOutput(new TwoRegions(own), 0);
            Iterator<Line> each = lines(1_000).iterator();
            assertSame(
                    own,
                    assertThrows(Exception.class, () -> PLAIN.each(Line.class).encode(each, again)));
        }
    }

    /** Gives two regions and no third. */
    private static final class TwoRegions implements WireOutput.Next {
        private final Exception own;
        private int given;

        TwoRegions(Exception own) {
            this.own = own;
        }

        @Override
        public ByteBuf next(@Nullable ByteBuf written) throws IOException {
            if (++given <= 2) {
                return Unpooled.wrappedBuffer(new byte[100]).clear();
            }
            if (own instanceof IOException e) {
                throw e;
            }
            throw (IllegalStateException) own;
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean takesByReference(int length) {
            return false;
        }
    }

    /** Nothing but a value or our own exception, and little memory. */
    private static void fed(ValueCodec<?> codec, byte[] payload, int fragment) throws IOException {
        DecoderLimits limits = DecoderLimits.DEFAULT.withPayloadBytes(1 << 20).withValueBytes(VALUE_BYTES);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            Object value = codec.decode(Payloads.input(payload, fragment, limits));
            if (value instanceof Iterator<?> elements) {
                elements.forEachRemaining(element -> {});
            }
        } catch (UncheckedIOException e) {
            assertInstanceOf(ResultException.class, e.getCause());
        } catch (ResultException e) {
            assertTrue(e.offset() <= payload.length, e.getMessage());
        }
        long taken = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(taken <= MOST_TAKEN, () -> taken + " bytes taken for " + Arrays.toString(payload));
    }

    private static Stream<Map.Entry<ValueCodec<?>, byte[]>> subjects() throws IOException {
        List<Object> few = new ArrayList<>(things());
        few.removeIf(thing -> thing instanceof byte[] || thing instanceof long[] || thing instanceof double[]);
        few.subList(0, 17).clear();
        ValueCodec<Iterator<Line>> each = SHARING.each(Line.class);
        Node node = new Node();
        node.any = new HashMap<>(Map.of("a", 1));
        node.next = new Node();
        ValueCodec<Node> nodes = SHARING.value(Node.class);
        return Stream.of(
                Map.entry(PLAIN.value(), Payloads.encode(PLAIN.value(), (Object) few, 1_000)),
                Map.entry(SHARING.value(), Payloads.encode(SHARING.value(), (Object) few, 1_000)),
                Map.entry(nodes, Payloads.encode(nodes, node, 1_000)),
                Map.entry(each, Payloads.encode(each, lines(4).iterator(), 1_000)));
    }

    @Test
    void everyTruncationAndEveryThirdFlippedBitGivesAValueOrOurException() throws IOException {
        int[] cases = {0};
        for (Map.Entry<ValueCodec<?>, byte[]> subject : subjects().toList()) {
            byte[] payload = subject.getValue();
            fed(subject.getKey(), payload, 7); // once, for what is made the first time
            for (int length = 0; length < payload.length; length++) {
                fed(subject.getKey(), Arrays.copyOf(payload, length), length % 11 + 1);
                cases[0]++;
            }
            for (int bit = 0; bit < payload.length * 8; bit += 3) {
                byte[] flipped = payload.clone();
                flipped[bit / 8] ^= (byte) (1 << bit % 8);
                fed(subject.getKey(), flipped, bit % 11 + 1);
                cases[0]++;
            }
        }
        audit.figure(cases[0] + " truncations and flipped bits");
    }

    /** In place of every third byte in turn, two to six bytes of a length. */
    @Test
    void lengthsThatLieTakeNoMemory() throws IOException {
        byte[][] lengths = {
            {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x0F},
            {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x07},
            {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x3F},
            {(byte) 0xFF, (byte) 0xFF, 0x7F},
            {(byte) 0xFF, 0x7F},
            {0x7F, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x07}, // of a collection, whose first byte has a flag
            {0x7F, (byte) 0xFF, 0x7F},
        };
        int cases = 0;
        for (Map.Entry<ValueCodec<?>, byte[]> subject : subjects().toList()) {
            byte[] payload = subject.getValue();
            fed(subject.getKey(), payload, 7);
            for (int at = cases % 3; at < payload.length; at += 3) {
                for (byte[] length : lengths) {
                    byte[] lying = new byte[payload.length - 1 + length.length];
                    System.arraycopy(payload, 0, lying, 0, at);
                    System.arraycopy(length, 0, lying, at, length.length);
                    System.arraycopy(payload, at + 1, lying, at + length.length, payload.length - at - 1);
                    fed(subject.getKey(), lying, at % 11 + 1);
                    cases++;
                }
            }
        }
        audit.figure(cases + " lengths that lie");
    }

    @Test
    void collectionsWithinTheLimitPassAndThoseAboveAreRefused() throws IOException {
        ValueCodec<Object> codec = PLAIN.value();
        List<Integer> numbers =
                new ArrayList<>(IntStream.range(0, 400_000).boxed().toList());
        byte[] payload = Payloads.encode(codec, (Object) numbers, 1 << 16);
        assertEquals(numbers, Payloads.decode(codec, payload, 1 << 16));
        assertThrows(
                ResultTooLargeException.class,
                () -> codec.decode(Payloads.input(payload, 1 << 16, DecoderLimits.DEFAULT.withValueBytes(3_000_000))));
        assertThrows(
                ResultTooLargeException.class,
                () -> codec.decode(Payloads.input(payload, 1 << 16, DecoderLimits.DEFAULT.withPayloadBytes(300_000))));
        Object[] array = numbers.toArray();
        byte[] ofArray = Payloads.encode(codec, (Object) array, 1 << 16);
        assertArrayEquals(array, (Object[]) Payloads.decode(codec, ofArray, 1 << 16));
        assertThrows(
                ResultTooLargeException.class,
                () -> codec.decode(Payloads.input(ofArray, 1 << 16, DecoderLimits.DEFAULT.withValueBytes(3_000_000))));
    }

    @Test
    void collectionsLargerThanTheCallerSaysAreRefusedBeforeTheyAreMade() throws IOException {
        byte[] ofTenMillion = Payloads.encode(
                PLAIN.value(), (Object) new ArrayList<>(Collections.nCopies(10_000_000, null)), 1 << 16);
        ResultTooLargeException thrown = assertThrows(
                ResultTooLargeException.class, () -> Payloads.decode(PLAIN.value(), ofTenMillion, 1 << 16));
        assertEquals("collections too large", thrown.reason());
        assertEquals(8 * 10_000_001, thrown.actual(), "Kryo writes one more, for null");
        ValueCodec<Object> roomier = KryoCodecs.builder(() -> kryo(false))
                .maxCollectionBytes(8 * 10_000_001)
                .build()
                .value();
        assertEquals(10_000_000, ((List<?>) Payloads.decode(roomier, ofTenMillion, 1 << 16)).size());
    }

    /** Elements that are all null take no bytes. */
    @Test
    void manyCollectionsOfNothingAreCountedTogether() throws IOException {
        ValueCodec<Object> codec = PLAIN.value();
        List<Object> nothing = new ArrayList<>(Collections.nCopies(60_000, null));
        List<Object> lists = new ArrayList<>(Collections.nCopies(100, nothing));
        byte[] payload = Payloads.encode(codec, (Object) lists, 1_000);
        assertTrue(payload.length < 1_000, payload.length + " bytes");
        assertEquals(lists, Payloads.decode(codec, payload, 1_000));
        assertThrows(
                ResultTooLargeException.class,
                () -> codec.decode(Payloads.input(payload, 1_000, DecoderLimits.DEFAULT.withValueBytes(1 << 20))));
    }

    /** Reads and writes a number that is no length, though it looks like one. */
    private static final class Numbers extends Serializer<Integer> {
        @Override
        public void write(Kryo kryo, Output output, Integer number) {
            output.writeVarInt(number, true);
        }

        @Override
        public Integer read(Kryo kryo, Input input, Class<? extends Integer> type) {
            return input.readVarInt(true);
        }
    }

    @Test
    void aNumberOfTheCallersIsNotTakenForALength() throws IOException {
        ValueCodec<Iterator<Integer>> codec = KryoCodecs.builder(() -> {
                    Kryo kryo = new Kryo();
                    kryo.register(Integer.class, new Numbers());
                    return kryo;
                })
                .build()
                .each(Integer.class);
        List<Integer> numbers = List.of(Integer.MAX_VALUE, 1 << 30, 1 << 20, -1, 0);
        byte[] payload = Payloads.encode(codec, numbers.iterator(), 64);
        WireInput in = Payloads.input(
                payload, 2, DecoderLimits.DEFAULT.withPayloadBytes(100).withValueBytes(100));
        assertEquals(numbers, drained(codec.decode(in)));
    }

    @Test
    void javasOwnSerializationGoesThroughWithoutAFrameForEachFlush() throws IOException {
        List<Object> failures = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            failures.add(new RuntimeException("failure " + i));
        }
        ValueCodec<Object> codec = PLAIN.value();
        for (int size : FRAGMENTS) {
            List<?> read = (List<?>) Payloads.decode(codec, Payloads.encode(codec, (Object) failures, 100), size);
            assertEquals("failure 49", ((Exception) read.get(49)).getMessage());
        }
    }

    @Test
    void onlyWhatStraddlesIsNotReadInPlace() throws IOException {
        byte[] payload = Payloads.encode(PLAIN.each(Line.class), lines(2_000).iterator(), 1 << 16);
        for (int region : new int[] {1 << 20, 4_096, 1_000}) {
            WireInput in = Payloads.input(payload, region, DecoderLimits.DEFAULT);
            Kryo kryo = kryo(false);
            KryoInput from = new KryoInput(in, kryo, Long.MAX_VALUE);
            while (!from.end()) {
                kryo.readObjectOrNull(from, Line.class);
            }
            int edges = payload.length / region;
            assertTrue(from.pieced() <= edges * 50L, from.pieced() + " bytes at " + edges + " edges");
            assertEquals(edges == 0, from.pieced() == 0);
        }
    }

    /** Looks, behind each thing that it writes, at whether it is in the chunk already. */
    private static final class Looking extends Serializer<Line> {
        private final Set<byte[]> chunks;
        private long inPlace;

        Looking(Set<byte[]> chunks) {
            this.chunks = chunks;
        }

        private void last(Output out, int... bytes) {
            assertTrue(chunks.contains(out.getBuffer()), "written to memory that is no chunk's");
            for (int i = 0; i < bytes.length; i++) {
                assertEquals((byte) bytes[i], out.getBuffer()[out.position() - bytes.length + i]);
            }
            inPlace += bytes.length;
        }

        @Override
        public void write(Kryo kryo, Output out, Line line) {
            out.writeLong(0x0807_0605_0403_0201L);
            last(out, 1, 2, 3, 4, 5, 6, 7, 8);
            out.writeInt(0x0403_0201);
            last(out, 1, 2, 3, 4);
            out.writeString("text");
            last(out, 't', 'e', 'x', 't' | 0x80);
        }

        @Override
        public Line read(Kryo kryo, Input input, Class<? extends Line> type) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void whatKryoWritesIsInItsChunkAtOnce() throws IOException {
        Set<byte[]> chunks = Collections.newSetFromMap(new IdentityHashMap<>());
        WireOutput out = new WireOutput(
                new WireOutput.Next() {
                    @Override
                    public ByteBuf next(@Nullable ByteBuf written) {
                        byte[] chunk = new byte[4_096];
                        chunks.add(chunk);
                        return Unpooled.wrappedBuffer(chunk).clear();
                    }

                    @Override
                    public ByteBuf nextAfter(
                            @Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
                        throw new UnsupportedOperationException();
                    }

                    @Override
                    public boolean takesByReference(int length) {
                        return false;
                    }
                },
                0);
        Looking looking = new Looking(chunks);
        KryoCodecs.builder(() -> {
                    Kryo kryo = new Kryo();
                    kryo.setReferences(false);
                    kryo.register(Line.class, looking);
                    return kryo;
                })
                .build()
                .each(Line.class)
                .encode(lines(10_000).iterator(), out);
        assertEquals(160_000, looking.inPlace);
        assertEquals(out.written(), looking.inPlace + 10_000, "a byte an element says that it is not null");
        audit.figure("Kryo, " + looking.inPlace + " of " + out.written() + " bytes seen in their chunk as soon as"
                + " written, the others tell null: 0 copies");
    }
}
