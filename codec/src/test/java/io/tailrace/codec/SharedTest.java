// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Values that come many times and go once: what is one object stays one, in bounded memory on both sides. */
class SharedTest {

    private static Derivation.Builder builder() {
        return Derivation.builder(MethodHandles.lookup());
    }

    private static <T> T roundTrip(Codec<T> codec, T value) throws IOException {
        ValueCodec<T> whole = Codecs.value(codec);
        byte[] payload = Payloads.encode(whole, value, 70);
        assertArrayEquals(payload, Payloads.encode(whole, value, 1 << 20));
        return Payloads.decode(whole, payload, 11);
    }

    @SuppressWarnings("StringOperationCanBeSimplified") // an object of its own
    private static String fresh(String text) {
        return new String(text);
    }

    @Test
    void oneObjectIsOneObjectAndEqualOnesAreTwo() throws IOException {
        String a = fresh("aa");
        String other = fresh("aa");
        List<String> read = roundTrip(Codecs.list(Codecs.shared(Codecs.TEXT)), List.of(a, other, a, a, other));
        assertEquals(List.of("aa", "aa", "aa", "aa", "aa"), read);
        assertSame(read.get(0), read.get(2));
        assertSame(read.get(0), read.get(3));
        assertSame(read.get(1), read.get(4));
        assertNotSame(read.get(0), read.get(1));
    }

    record Place(String name) {}

    @SuppressWarnings("ArrayRecordComponent") // compared by its own equals
    record Way(
            Place from,
            @Nullable Place to,
            List<Place> stops,
            Map<String, Place> named,
            Optional<Place> best,
            Place[] all,
            Stop last) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Way way
                    && from.equals(way.from)
                    && stops.equals(way.stops)
                    && named.equals(way.named)
                    && best.equals(way.best)
                    && Arrays.equals(all, way.all)
                    && last.equals(way.last);
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    sealed interface Stop permits Brief, Lasting {}

    record Brief(Place at) implements Stop {}

    record Lasting(Place at, int hours) implements Stop {}

    @Test
    void aSharedClassIsOneObjectWhereverItIsMet() throws IOException {
        Place place = new Place("here");
        Way way = new Way(
                place,
                place,
                List.of(place, new Place("there"), place),
                new LinkedHashMap<>(Map.of("x", place)),
                Optional.of(place),
                new Place[] {place},
                new Lasting(place, 3));
        Way read = roundTrip(builder().shared(Place.class).build().of(Way.class), way);
        assertEquals(way, read);
        for (Object one : Arrays.asList(
                read.to(),
                read.stops().get(0),
                read.stops().get(2),
                read.named().get("x"),
                read.best().orElseThrow(),
                read.all()[0],
                ((Lasting) read.last()).at())) {
            assertSame(read.from(), one);
        }
        assertNotSame(read.from(), read.stops().get(1));
        Way unshared = roundTrip(builder().build().of(Way.class), way);
        assertEquals(way, unshared);
        assertNotSame(unshared.from(), unshared.to());
    }

    @Test
    void aSharedMemberUnionEnumAndGivenCodecAreSharedToo() throws IOException {
        Stop stop = new Brief(new Place("p"));
        List<Stop> members =
                roundTrip(Codecs.list(builder().shared(Brief.class).build().of(Stop.class)), List.of(stop, stop));
        assertSame(members.get(0), members.get(1));
        List<Stop> unions =
                roundTrip(Codecs.list(builder().shared(Stop.class).build().of(Stop.class)), List.of(stop, stop));
        assertSame(unions.get(0), unions.get(1));
        Codec<Place> given = Codecs.mapped(Codecs.TEXT, Place::name, Place::new);
        Place place = new Place("q");
        List<Stop> places = roundTrip(
                Codecs.list(builder()
                        .with(Place.class, given)
                        .shared(Place.class)
                        .build()
                        .of(Stop.class)),
                List.of(new Brief(place), new Lasting(place, 1)));
        assertSame(((Brief) places.get(0)).at(), ((Lasting) places.get(1)).at());
        String name = fresh("name");
        List<Place> texts = roundTrip(
                Codecs.list(builder().shared(String.class).build().of(Place.class)),
                List.of(new Place(name), new Place(name)));
        assertSame(texts.get(0).name(), texts.get(1).name());
        Codec<Thread.State> states =
                builder().shared(Thread.State.class).build().of(Thread.State.class);
        assertEquals(Thread.State.NEW, roundTrip(states, Thread.State.NEW));
    }

    record Twice(@Nullable Twice left, @Nullable Twice right, int id) {}

    private static final Codec<Twice> TWICE =
            builder().shared(Twice.class).build().of(Twice.class);

    @Test
    void aDiamondStaysADiamond() throws IOException {
        Twice bottom = new Twice(null, null, 1);
        Twice left = new Twice(bottom, null, 2);
        Twice right = new Twice(null, bottom, 3);
        Twice read = roundTrip(TWICE, new Twice(left, right, 4));
        assertEquals(new Twice(left, right, 4), read);
        assertSame(read.left().left(), read.right().right());
        Twice many = bottom;
        for (int i = 0; i < 100; i++) {
            many = new Twice(many, many, i);
        }
        Twice same = roundTrip(TWICE, many); // written out it were 2^100
        for (int i = 0; i < 100; i++) {
            assertSame(same.left(), same.right());
            same = same.left();
        }
        assertEquals(bottom, same);
    }

    @Test
    void aReferenceCountsTowardsTheDepthAsIfTheValueStoodThere() throws IOException {
        ValueCodec<Iterator<Twice>> each = Codecs.each(TWICE);
        List<Twice> chain = new ArrayList<>();
        for (int i = 0; i < 514; i++) {
            chain.add(new Twice(i == 0 ? null : chain.get(i - 1), null, i));
        }
        Iterator<Twice> most = chain.subList(0, 513).iterator();
        byte[] payload = Payloads.encode(each, most, 100);
        Iterator<Twice> read = each.decode(Payloads.input(payload, 100, DecoderLimits.DEFAULT));
        Twice before = read.next();
        while (read.hasNext()) {
            Twice next = read.next();
            assertSame(before, next.left());
            before = next;
        }
        ResultTooLargeException writing =
                assertThrows(ResultTooLargeException.class, () -> Payloads.encode(each, chain.iterator(), 100));
        assertEquals("[513].left: nested too deep", writing.reason());
        assertEquals(513, writing.actual());
        ValueCodec<Iterator<Twice>> less = Codecs.each(TWICE, ValueLimits.DEFAULT.withDepth(511));
        Iterator<Twice> short1 = less.decode(Payloads.input(payload, 100, DecoderLimits.DEFAULT));
        Exception reading = assertThrows(java.io.UncheckedIOException.class, () -> {
            while (short1.hasNext()) {
                short1.next();
            }
        });
        assertTrue(reading.getCause().getMessage().contains("[512].left: nested too deep"), reading.toString());
    }

    /** A bean that can contain itself. */
    public static final class Ring {
        @Nullable
        public Ring next;
    }

    @Test
    void whatContainsItselfIsRefused() {
        Ring ring = new Ring();
        ring.next = ring;
        Codec<Ring> codec = builder().shared(Ring.class).build().of(Ring.class);
        ResultTooLargeException e =
                assertThrows(ResultTooLargeException.class, () -> Payloads.encode(Codecs.value(codec), ring, 1 << 20));
        assertTrue(e.reason().endsWith("nested too deep"), e.reason());
    }

    @Test
    void whatMayBeNullOrIsSharedAlreadyCannotBeShared() throws IOException {
        Codec<String> shared = Codecs.shared(Codecs.TEXT);
        assertThrows(IllegalArgumentException.class, () -> Codecs.shared(Codecs.nullable(Codecs.TEXT)));
        assertThrows(IllegalArgumentException.class, () -> Codecs.shared(shared));
        for (Class<?> type : List.of(int.class, List.class, Place[].class, Optional.class)) {
            Derivation.Builder builder = builder().shared(type);
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, builder::build);
            assertTrue(e.getMessage().contains(type.getName()), e.getMessage());
        }
        String a = fresh("aa");
        List<@Nullable String> read =
                roundTrip(Codecs.list(Codecs.nullable(shared)), Arrays.asList(a, null, a, null, fresh("aa")));
        assertEquals(Arrays.asList("aa", null, "aa", null, "aa"), read);
        assertSame(read.get(0), read.get(2));
        assertNotSame(read.get(0), read.get(4));
    }

    @Test
    void oneCodecInTwoPlacesHasOneTableAndTwoCodecsHaveTwo() throws IOException {
        Codec<String> one = Codecs.shared(Codecs.TEXT);
        Codec<String> two = Codecs.shared(Codecs.TEXT);
        String a = fresh("aa");
        Map<String, String> same = roundTrip(Codecs.map(one, one), Map.of(a, a));
        assertSame(same.keySet().iterator().next(), same.get("aa"));
        Map<String, String> apart = roundTrip(Codecs.map(one, two), Map.of(a, a));
        assertNotSame(apart.keySet().iterator().next(), apart.get("aa"));
    }

    @Test
    void aListIsSharedAsAWhole() throws IOException {
        List<Integer> numbers = new ArrayList<>(List.of(1, 2, 3));
        List<List<Integer>> read =
                roundTrip(Codecs.list(Codecs.shared(Codecs.list(Codecs.INT))), List.of(numbers, numbers));
        assertEquals(List.of(numbers, numbers), read);
        assertSame(read.get(0), read.get(1));
    }

    /** Each repeats one that is so many back, or is new. */
    private static List<String> repeating(int length, int distinct, long seed) {
        Random random = new Random(seed);
        List<String> pool = new ArrayList<>();
        for (int i = 0; i < distinct; i++) {
            pool.add("t" + i);
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            texts.add(pool.get(random.nextInt(distinct)));
        }
        return texts;
    }

    @Test
    void forgottenAndHeldValuesAreToldApartByBothSides() throws IOException {
        Codec<List<String>> codec = Codecs.list(Codecs.shared(Codecs.TEXT));
        for (int distinct : new int[] {10, SharedTable.MOST, 100_000}) {
            List<String> texts = repeating(300_000, distinct, distinct);
            byte[] payload = Payloads.encode(Codecs.value(codec), texts, 8_192);
            List<String> read = Payloads.decode(Codecs.value(codec), payload, 4_096);
            assertEquals(texts, read);
            Set<String> objects = java.util.Collections.newSetFromMap(new java.util.IdentityHashMap<>());
            objects.addAll(read);
            boolean fits = distinct <= SharedTable.MOST;
            assertEquals(fits, objects.size() == new HashSet<>(texts).size(), distinct + ": " + objects.size());
        }
    }

    @Test
    void theOldestThatIsHeldCanBeReferredToAndTheNextOlderCannot() throws IOException {
        Codec<List<String>> codec = Codecs.list(Codecs.shared(Codecs.TEXT));
        String first = fresh("first");
        List<String> texts = new ArrayList<>(List.of(first));
        for (int i = 1; i < SharedTable.MOST; i++) {
            texts.add("t" + i);
        }
        texts.add(first);
        List<String> held = roundTrip(codec, texts);
        assertSame(held.get(0), held.get(SharedTable.MOST));
        texts.add(SharedTable.MOST, "one more");
        List<String> forgotten = roundTrip(codec, texts);
        assertEquals(texts, forgotten);
        assertNotSame(forgotten.get(0), forgotten.get(SharedTable.MOST + 1));
    }

    record Row(int id) {}

    private static final int ROWS = 1_000_000;

    /** Of every hundredth. */
    private static long alive(List<WeakReference<Row>> rows) {
        System.gc();
        return rows.stream().filter(row -> !row.refersTo(null)).count();
    }

    @Test
    void aMillionDistinctValuesPinAsManyAsTheTableHoldsOnBothSides() throws IOException {
        ValueCodec<Iterator<Row>> codec =
                Codecs.each(builder().shared(Row.class).build().of(Row.class));
        List<WeakReference<Row>> written = new ArrayList<>();
        long[] alive = new long[1];
        Iterator<Row> rows = new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                if (next == ROWS) {
                    alive[0] = alive(written);
                }
                return next < ROWS;
            }

            @Override
            public Row next() {
                Row row = new Row(next);
                if (next++ % 100 == 0) {
                    written.add(new WeakReference<>(row));
                }
                return row;
            }
        };
        byte[] payload = Payloads.encode(codec, rows, 65_536);
        assertTrue(Math.abs(alive[0] - SharedTable.MOST / 100) <= 1, alive[0] + " hundreds held by the writer");
        List<WeakReference<Row>> read = new ArrayList<>();
        Iterator<Row> back = codec.decode(Payloads.input(payload, 65_536, DecoderLimits.DEFAULT));
        for (int id = 0; id < ROWS; id++) {
            Row row = back.next();
            assertEquals(id, row.id());
            if (id % 100 == 0) {
                read.add(new WeakReference<>(row));
            }
        }
        long held = alive(read);
        assertFalse(back.hasNext());
        assertTrue(Math.abs(held - SharedTable.MOST / 100) <= 1, held + " hundreds held by the reader");
    }

    @Test
    void aReferenceToWhatIsNotHeldIsRefusedWithItsPlace() throws IOException {
        ValueCodec<List<String>> codec = Codecs.value(Codecs.list(Codecs.shared(Codecs.TEXT)));
        byte[] payload = Payloads.encode(codec, List.of("a"), 100);
        byte[] two = Arrays.copyOf(payload, payload.length + 1);
        two[payload.length - 4] = 2;
        for (int back : new int[] {2, 3, 127}) {
            two[payload.length] = (byte) back;
            MalformedDataException e = assertThrows(MalformedDataException.class, () -> Payloads.decode(codec, two, 5));
            assertEquals("[1]: reference beyond the values held of shared", e.reason());
            assertEquals(payload.length, e.offset());
            assertEquals(1, e.limit());
            assertEquals(back, e.actual());
        }
        two[payload.length] = 1;
        assertEquals(List.of("a", "a"), Payloads.decode(codec, two, 5));
    }

    @Test
    void aReferenceBeyondTheBoundIsRefusedWhoeverReadsOrPassesOver() throws IOException {
        Codec<String> texts = Codecs.shared(Codecs.TEXT);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] schema = Schema.bytes(Codecs.list(texts).shape());
        all.write(schema.length);
        all.writeBytes(schema);
        all.writeBytes(new byte[] {(byte) 0x82, (byte) 0x80, 4}); // 65,538 elements
        for (int i = 0; i <= SharedTable.MOST; i++) {
            all.writeBytes(new byte[] {0, 4, 'a'});
        }
        byte[] good = all.toByteArray();
        for (int back : new int[] {SharedTable.MOST, SharedTable.MOST + 1}) {
            byte[] payload = Arrays.copyOf(good, good.length + 3);
            payload[good.length] = (byte) (back | 0x80);
            payload[good.length + 1] = (byte) (back >>> 7 | 0x80);
            payload[good.length + 2] = (byte) (back >>> 14);
            boolean refused = false;
            try {
                assertEquals(
                        SharedTable.MOST + 2,
                        Payloads.decode(Codecs.value(Codecs.list(texts)), payload, 4_096)
                                .size());
            } catch (MalformedDataException e) {
                refused = true;
                assertEquals(SharedTable.MOST, e.limit());
                assertEquals(SharedTable.MOST + 1, e.actual());
                assertEquals(good.length, e.offset());
            }
            assertEquals(back > SharedTable.MOST, refused);
        }
    }

    record Old(int id, String text) {}

    record OldPair(Old gone, Old one, Old two, int more) {}

    record New(@Nullable String text, @Nullable String added) {}

    record NewPair(New two, New one) {}

    record Neither(int more) {}

    record Other(String text) {}

    record Mixed(New one, Other two) {}

    private static <W, R> R read(Codec<W> written, W value, Codec<R> read) throws IOException {
        byte[] payload = Payloads.encode(Codecs.value(written), value, 100);
        return Payloads.decode(Codecs.value(read), payload, 7);
    }

    private static final Codec<OldPair> PAIR =
            builder().shared(Old.class).build().of(OldPair.class);
    private static final Codec<OldPair> UNSHARED_PAIR = builder().build().of(OldPair.class);

    private static OldPair pair() {
        Old old = new Old(1, "o");
        return new OldPair(old, old, old, 5);
    }

    @Test
    void aSharedValueIsReadByAnotherVersionAlsoWhereItFirstStoodInAFieldThatIsGone() throws IOException {
        Derivation later = builder().shared(New.class).build();
        NewPair read = read(PAIR, pair(), later.of(NewPair.class));
        assertEquals(new New("o", null), read.one());
        assertSame(read.one(), read.two());
        assertEquals(new Neither(5), read(PAIR, pair(), later.of(Neither.class)));
    }

    @Test
    void whatWasNotSharedIsReadWhereItIsButNotTheOtherWayRound() throws IOException {
        Derivation later = builder().shared(New.class).build();
        NewPair read = read(UNSHARED_PAIR, pair(), later.of(NewPair.class));
        assertEquals(new New("o", null), read.one());
        assertNotSame(read.one(), read.two());
        MalformedDataException e = assertThrows(
                MalformedDataException.class,
                () -> read(PAIR, pair(), builder().build().of(NewPair.class)));
        assertEquals("one: schema mismatch: written as shared Old, read as record New", e.reason());
    }

    @Test
    void oneTableIsNotReadAsTwoTypes() {
        Derivation later = builder().shared(New.class).shared(Other.class).build();
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> read(PAIR, pair(), later.of(Mixed.class)));
        assertEquals("two: schema mismatch: shared Old is read as record New and as record Other", e.reason());
    }

    record Tree1(
            String name, List<Tree1> children, @Nullable Tree1 gone) {}

    record Tree2(List<Tree2> children, String name) {}

    @Test
    void aSharedTypeThatContainsItselfEvolves() throws IOException {
        Tree1 leaf = new Tree1("leaf", List.of(), null);
        Tree1 hidden = new Tree1("hidden", List.of(leaf), null);
        Tree1 tree = new Tree1("root", List.of(new Tree1("first", List.of(), hidden), leaf, hidden), null);
        Tree2 read = read(
                builder().shared(Tree1.class).build().of(Tree1.class),
                tree,
                builder().shared(Tree2.class).build().of(Tree2.class));
        assertEquals("hidden", read.children().get(2).name());
        assertSame(read.children().get(1), read.children().get(2).children().get(0));
    }

    record Gone1(List<Tree1> gone, int id) {}

    record Gone2(int id) {}

    @Test
    void whatNobodyReadsIsPassedOverByCountingAlone() throws IOException {
        Tree1 leaf = new Tree1("leaf", List.of(), null);
        Codec<Gone1> writer = builder().shared(Tree1.class).build().of(Gone1.class);
        Gone1 value = new Gone1(List.of(leaf, leaf, new Tree1("x", List.of(leaf), leaf)), 9);
        assertEquals(new Gone2(9), read(writer, value, builder().build().of(Gone2.class)));
        byte[] payload = Payloads.encode(Codecs.value(writer), value, 100);
        for (int i = payload.length - 40; i < payload.length; i++) {
            byte[] broken = payload.clone();
            broken[i] = 100;
            try {
                Codecs.value(builder().build().of(Gone2.class))
                        .decode(Payloads.input(broken, 9, DecoderLimits.DEFAULT));
            } catch (ResultException e) {
                assertTrue(e.offset() >= 0, e.getMessage());
            }
        }
    }

    record Nested1(int id, List<List<List<List<List<List<Nested1>>>>>> gone) {}

    record Nested2(int id) {}

    /** What is passed over holds what is read, which holds what is passed over, and so on. */
    @Test
    void levelsThatArePassedOverAddUpThroughThoseThatAreRead() throws IOException {
        Nested1 nested = new Nested1(0, List.of());
        for (int id = 1; id <= 7; id++) {
            nested = new Nested1(id, List.of(List.of(List.of(List.of(List.of(List.of(nested)))))));
        }
        byte[] payload = Payloads.encode(
                Codecs.value(builder().shared(Nested1.class).build().of(Nested1.class)), nested, 100);
        Codec<Nested2> reader = builder().shared(Nested2.class).build().of(Nested2.class);
        ValueLimits limits = ValueLimits.DEFAULT.withDepth(10);
        ResultTooLargeException e = assertThrows(
                ResultTooLargeException.class, () -> Payloads.decode(Codecs.value(reader, limits), payload, 100));
        assertTrue(e.reason().endsWith("nested too deep to be passed over"), e.reason());
        assertEquals(40, e.limit());
        ValueLimits more = ValueLimits.DEFAULT.withDepth(20);
        assertEquals(new Nested2(7), Payloads.decode(Codecs.value(reader, more), payload, 100));
    }

    @Test
    void rowsPassOverASharedColumn() throws IOException {
        Codec<Old> old = builder().shared(String.class).build().of(Old.class);
        Old one = new Old(1, "same");
        byte[] payload = Payloads.encode(
                Codecs.each(old), List.of(one, new Old(2, one.text())).iterator(), 100);
        Columns columns = Columns.builder().column("id", Columns.Type.INT).build();
        RowReader rows = columns.reader(Payloads.input(payload, 5, DecoderLimits.DEFAULT));
        assertTrue(rows.next());
        assertEquals(1, rows.getInt(0));
        assertTrue(rows.next());
        assertEquals(2, rows.getInt(0));
        assertFalse(rows.next());
    }
}
