// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
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
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.stream.IntStream;
import org.apache.fory.Fory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds of elements by each serializer, in whole results. */
class OtherSerializersTest {

    private static final ResultId ID = new ResultId("other", 1, 2, 0);
    private static final int CHUNK = 512;

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    @SuppressWarnings("ArrayRecordComponent") // compared by content below
    record Row(int id, double price, String name, long[] ticks) implements Serializable {

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Row row
                    && id == row.id
                    && price == row.price
                    && name.equals(row.name)
                    && Arrays.equals(ticks, row.ticks);
        }

        @Override
        public int hashCode() {
            return id;
        }
    }

    @SuppressWarnings("ImmutableEnumChecker") // codecs keep nothing between calls
    enum By {
        JAVA(JavaCodecs.builder(ObjectInputFilter.Config.createFilter(
                        "io.tailrace.codec.OtherSerializersTest$Row;java.base/*;!*"))
                .build()
                .each(Row.class)),
        KRYO(KryoCodecs.builder(By::kryo).build().each(Row.class)),
        FORY(ForyCodecs.of(By::fory).each(Row.class)),
        OWN(Serializers.each(
                "own/1",
                (row, out) -> {
                    out.writeInt(row.id());
                    out.writeDouble(row.price());
                    out.writeUtf8(row.name());
                    out.writeVarInt(row.ticks().length);
                    out.writeLongs(row.ticks(), 0, row.ticks().length);
                },
                in -> new Row(in.readInt(), in.readDouble(), in.readUtf8(), in.readLongs(in.readVarInt()))));

        private final ValueCodec<Iterator<Row>> each;

        By(ValueCodec<Iterator<Row>> each) {
            this.each = each;
        }

        private static Kryo kryo() {
            Kryo kryo = new Kryo();
            kryo.register(Row.class);
            kryo.register(long[].class);
            return kryo;
        }

        private static Fory fory() {
            Fory fory = Fory.builder()
                    .withXlang(false)
                    .requireClassRegistration(true)
                    .build();
            fory.register(Row.class);
            return fory;
        }
    }

    private static Row row(int id) {
        return new Row(id, id / 4.0, "row ü " + id, new long[id % 40]);
    }

    private static List<Row> rows(int count) {
        return IntStream.range(0, count).mapToObj(OtherSerializersTest::row).toList();
    }

    private static <E> List<E> all(Iterator<E> elements) {
        List<E> list = new ArrayList<>();
        elements.forEachRemaining(list::add);
        return list;
    }

    /** Bytes that pass for that codec's. */
    private static ValueCodec<byte[]> passingFor(ValueCodec<?> codec) {
        return Serializers.value(
                codec.id(), (bytes, out) -> out.writeBytes(bytes, 0, bytes.length), in -> in.readByteArray(0));
    }

    @ParameterizedTest
    @EnumSource
    void brokenPayloadsCostTheirOwnResultAlone(By by) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        byte[] good = Payloads.encode(by.each, rows(12).iterator(), CHUNK);
        int step = LeakAudit.FULL ? 1 : 3;
        int cases = 0;
        int refused = 0;
        for (int at = 0; at < good.length; at += step) {
            byte[] flipped = good.clone();
            flipped[at] ^= (byte) (1 << at % 8);
            byte[] lying = good.clone();
            lying[at] = (byte) (at % 2 == 0 ? 0x7F : 0xFF);
            for (byte[] payload : List.of(Arrays.copyOf(good, at), flipped, lying)) {
                MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
                encoder.encode(ID, passingFor(by.each), payload, sink);
                encoder.encode(ID, by.each, rows(3).iterator(), sink);
                try (ResultReader reader = ResultReader.builder(pool)
                        .limits(DecoderLimits.DEFAULT.withValueBytes(1 << 20))
                        .open(sink.openChannel())) {
                    assertTrue(reader.nextResult());
                    refused += refused(reader, by) ? 1 : 0;
                    reader.finish();
                    assertTrue(reader.nextResult());
                    assertEquals(rows(3), all(reader.decode(by.each)));
                    reader.finish();
                }
                cases++;
            }
        }
        audit.requireWhole();
        assertTrue(refused > cases / 4, refused + " of " + cases);
        audit.cases(cases);
    }

    private static boolean refused(ResultReader reader, By by) throws IOException {
        try {
            all(reader.decode(by.each));
            return false;
        } catch (UncheckedIOException e) {
            requireOurs(assertInstanceOf(ResultException.class, e.getCause()));
        } catch (ResultException e) {
            requireOurs(e);
        }
        return true;
    }

    private static void requireOurs(ResultException e) {
        assertTrue(e instanceof MalformedDataException || e instanceof ResultTooLargeException, e.toString());
        assertEquals(ID, e.resultId(), e.getMessage());
        assertTrue(e.offset() >= 0, e.getMessage());
    }

    @ParameterizedTest
    @EnumSource
    void othersPayloadsAreRefusedByTheirName(By by) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder.builder(pool).build().encode(ID, by.each, rows(3).iterator(), sink);
        for (By other : By.values()) {
            try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
                reader.nextResult();
                if (other == by) {
                    assertEquals(rows(3), all(reader.decode(other.each)));
                } else {
                    MalformedDataException thrown =
                            assertThrows(MalformedDataException.class, () -> reader.decode(other.each));
                    assertEquals(
                            "payload of codec " + by.each.id() + " asked for as " + other.each.id(), thrown.reason());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void limitOnDecodedBytesHolds(By by) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder.builder(pool).build().encode(ID, by.each, rows(1_000).iterator(), sink);
        try (ResultReader reader = ResultReader.builder(pool)
                .limits(DecoderLimits.DEFAULT.withPayloadBytes(10_000))
                .open(sink.openChannel())) {
            reader.nextResult();
            Iterator<Row> read = reader.decode(by.each);
            assertEquals(row(0), read.next());
            UncheckedIOException thrown = assertThrows(UncheckedIOException.class, () -> all(read));
            ResultTooLargeException told = assertInstanceOf(ResultTooLargeException.class, thrown.getCause());
            assertEquals(10_000, told.limit());
        }
    }

    @ParameterizedTest
    @EnumSource
    void elementsArePublishedAsTheyAreAskedFor(By by) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 16 * CHUNK);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder.builder(pool).build().encode(ID, by.each, rows(1_000).iterator(), sink);
        ResultReader reader = ResultReader.builder(pool).open(sink.openChannel());
        reader.nextResult();
        List<Row> read = new ArrayList<>();
        CompletableFuture<List<Row>> whole = new CompletableFuture<>();
        reader.publish(by.each, audit.executor()).subscribe(new Flow.Subscriber<>() {
            private Flow.@Nullable Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription given) {
                subscription = given;
                given.request(1);
            }

            @Override
            public void onNext(Row row) {
                read.add(row);
                subscription.request(1);
            }

            @Override
            public void onError(Throwable thrown) {
                whole.completeExceptionally(thrown);
            }

            @Override
            public void onComplete() {
                whole.complete(read);
            }
        });
        assertEquals(rows(1_000), whole.get());
    }
}
