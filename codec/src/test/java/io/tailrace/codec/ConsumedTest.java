// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.kryo5.Kryo;
import io.tailrace.codec.fory.ForyCodecs;
import io.tailrace.codec.java.JavaCodecs;
import io.tailrace.codec.kryo.KryoCodecs;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.ChildJvm;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.Serializable;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.fory.Fory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sources that are freed while they are encoded, and elements that are read while they arrive. */
class ConsumedTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final int ELEMENTS = 20_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    record Row(int id, String text) implements Serializable {}

    private static final Codec<Row> ROWS =
            Derivation.builder(MethodHandles.lookup()).build().of(Row.class);

    private static Row row(int id) {
        return new Row(id, "row number " + id);
    }

    /** Looks, when a part of the result is out, at what can be collected. */
    private static final class Looking implements FrameSink {
        private final List<WeakReference<Row>> rows;
        private int chunks;
        private int gone;

        Looking(List<WeakReference<Row>> rows) {
            this.rows = rows;
        }

        @Override
        public void write(FrameBatch batch) {
            chunks++;
            if (chunks == 40) {
                System.gc();
                gone = (int) rows.stream().filter(row -> row.refersTo(null)).count();
            }
        }

        @Override
        public void close() {}
    }

    private <T> Looking encode(ValueCodec<T> codec, T value, List<WeakReference<Row>> rows) throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(4_096).build()) {
            Looking sink = new Looking(rows);
            ResultEncoder.builder(pool).build().encode(ID, codec, value, sink);
            return sink;
        }
    }

    private static List<WeakReference<Row>> references(List<Row> rows) {
        return rows.stream().map(WeakReference::new).toList();
    }

    private static List<Row> rows() {
        return new ArrayList<>(
                IntStream.range(0, ELEMENTS).mapToObj(ConsumedTest::row).toList());
    }

    @Test
    void aConsumedListIsCollectableWhileItIsEncoded() throws IOException {
        List<Row> rows = rows();
        Looking sink = encode(Codecs.value(Codecs.consumedList(ROWS)), rows, references(rows));
        assertTrue(sink.gone > ELEMENTS / 8, sink.gone + " of " + ELEMENTS + " gone, " + sink.chunks + " chunks");
        assertTrue(rows.stream().allMatch(row -> row == null));
    }

    @Test
    void aConsumedArrayIsCollectableWhileItIsEncoded() throws IOException {
        Row[] rows = rows().toArray(new Row[0]);
        Looking sink =
                encode(Codecs.value(Codecs.consumedArray(ROWS, Row[]::new)), rows, references(Arrays.asList(rows)));
        assertTrue(sink.gone > ELEMENTS / 8, sink.gone + " of " + ELEMENTS + " gone");
        assertTrue(Arrays.stream(rows).allMatch(row -> row == null));
    }

    @Test
    void aListThatIsNotConsumedStays() throws IOException {
        List<Row> rows = rows();
        Looking sink = encode(Codecs.value(Codecs.list(ROWS)), rows, references(rows));
        assertEquals(0, sink.gone);
        assertEquals(ELEMENTS, rows.size()); // and is reachable until here
    }

    @Test
    void anIteratorsElementsAreCollectableWhileItIsEncoded() throws IOException {
        List<WeakReference<Row>> made = new ArrayList<>();
        Iterator<Row> rows = IntStream.range(0, ELEMENTS)
                .mapToObj(id -> {
                    Row row = row(id);
                    made.add(new WeakReference<>(row));
                    return row;
                })
                .iterator();
        Looking sink = encode(Codecs.each(ROWS), rows, made);
        assertTrue(sink.gone > ELEMENTS / 8, sink.gone + " of " + ELEMENTS + " gone");
    }

    @Test
    void elementsOfUnknownNumberAreReadOneByOne() throws IOException {
        try (ChunkPool pool = ChunkPool.builder().chunkBytes(4_096).build()) {
            MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
            ValueCodec<Stream<Row>> codec = Codecs.stream(ROWS);
            ResultEncoder.builder(pool)
                    .build()
                    .encode(ID, codec, IntStream.range(0, ELEMENTS).mapToObj(ConsumedTest::row), sink);
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                assertTrue(reader.nextResult());
                assertEquals(codec.id(), reader.codecId());
                Iterable<Row> all = Codecs.iterable(ROWS).decode(reader.payload());
                Iterator<Row> rows = all.iterator();
                assertThrows(IllegalStateException.class, all::iterator);
                for (int i = 0; i < ELEMENTS; i++) {
                    assertEquals(row(i), rows.next());
                }
                assertEquals(false, rows.hasNext());
                reader.finish();
            }
        }
    }

    /** Goes through all in front to get to one. */
    @SuppressWarnings("JdkObsolete") // that it is linked is the matter
    private static final class Linked<E> extends LinkedList<E> {
        private static final long serialVersionUID = 1;

        @Override
        public E set(int index, E element) {
            throw new AssertionError("by its index");
        }

        @Override
        public E get(int index) {
            throw new AssertionError("by its index");
        }
    }

    @Test
    void aConsumedListWithoutRandomAccessIsGoneThroughOnce() throws IOException {
        List<Row> rows = new Linked<>();
        rows.addAll(rows());
        ValueCodec<List<Row>> codec = Codecs.value(Codecs.consumedList(ROWS));
        byte[] payload = Payloads.encode(codec, rows, 4_096);
        assertEquals(rows(), Payloads.decode(codec, payload, 4_096));
        assertEquals(ELEMENTS, rows.size());
        assertTrue(rows.stream().allMatch(row -> row == null));
    }

    /** A child JVM's work: encodes what frees itself, and looks at the live heap before and when three quarters are out. */
    static final class Falling {

        private Falling() {}

        /** Of whatever serializer. */
        private static ValueCodec<Iterator<Row>> each(String serializer) {
            return switch (serializer) {
                case "java" ->
                    JavaCodecs.builder(info -> ObjectInputFilter.Status.ALLOWED)
                            .build()
                            .each(Row.class);
                case "kryo" ->
                    KryoCodecs.builder(() -> {
                                Kryo kryo = new Kryo();
                                kryo.register(Row.class);
                                return kryo;
                            })
                            .build()
                            .each(Row.class);
                case "fory" ->
                    ForyCodecs.of(() -> {
                                Fory fory = Fory.builder()
                                        .withXlang(false)
                                        .withRefTracking(true)
                                        .requireClassRegistration(true)
                                        .build();
                                fory.register(Row.class);
                                return fory;
                            })
                            .each(Row.class);
                default -> Codecs.each(ROWS);
            };
        }

        /** The serial collector leaves some of what is dead where it is, except each fourth time. */
        private static long liveHeap() {
            for (int i = 0; i < 4; i++) {
                System.gc();
            }
            return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        }

        public static void main(String[] arguments) throws IOException {
            long empty = liveHeap();
            List<Row> rows = new ArrayList<>();
            int many = Integer.parseInt(arguments[1]);
            for (int i = 0; i < many; i++) {
                rows.add(row(i));
            }
            ValueCodec<Iterator<Row>> each = each(arguments[0]);
            long payload = Payloads.encode(each, rows.iterator(), 4_096).length;
            long before = liveHeap();
            System.out.println("held=" + (before - empty));
            long[] sent = {0, 0};
            FrameSink sink = new FrameSink() {
                @Override
                public void write(FrameBatch batch) {
                    sent[0] += 4_096;
                    if (sent[1] == 0 && sent[0] >= payload / 4 * 3) {
                        sent[1] = liveHeap();
                    }
                }

                @Override
                public void close() {}
            };
            try (ChunkPool pool = ChunkPool.builder().chunkBytes(4_096).build()) {
                ResultEncoder encoder = ResultEncoder.builder(pool).build();
                switch (arguments[0]) {
                    case "list" -> encoder.encode(ID, Codecs.value(Codecs.list(ROWS)), rows, sink);
                    case "consumed list" -> encoder.encode(ID, Codecs.value(Codecs.consumedList(ROWS)), rows, sink);
                    case "consuming iterator" -> encoder.encode(ID, each, polling(rows), sink);
                    default -> encoder.encode(ID, Codecs.consumedListOf(each), rows, sink);
                }
            }
            System.out.println("fallen=" + (before - sent[1]));
            System.out.println("kept=" + rows.size());
        }

        /** Gives each element up as it gives it. */
        private static Iterator<Row> polling(List<Row> rows) {
            ArrayDeque<Row> queue = new ArrayDeque<>(rows);
            rows.clear();
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return !queue.isEmpty();
                }

                @Override
                public Row next() {
                    return queue.remove();
                }
            };
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"consumed list", "consuming iterator", "list", "java", "kryo", "fory"})
    void theLiveHeapFallsWhileWhatIsConsumedIsEncoded(String source, @TempDir Path directory) throws Exception {
        try (ChildJvm child =
                ChildJvm.of(Falling.class, directory).start(source, LeakAudit.FULL ? "2000000" : "200000")) {
            List<String> lines = child.lines(Duration.ofMinutes(LeakAudit.FULL ? 10 : 1));
            long held = ChildJvm.number(lines, "held");
            long fallen = ChildJvm.number(lines, "fallen");
            audit.figure(source + ": of " + held + " bytes " + fallen + " are free when three quarters are out");
            if (source.equals("list")) {
                assertTrue(fallen < held / 8, lines.toString());
            } else {
                assertTrue(fallen > held * 2 / 5, lines.toString());
            }
        }
    }
}
