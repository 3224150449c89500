// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sources that are freed while they are encoded, and elements that are read while they arrive. */
class ConsumedTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final int ELEMENTS = 20_000;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    record Row(int id, String text) {}

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
}
