// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a reader of another version accepts, and what it refuses before the first value. */
class EvolutionTest {

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    private static <W, R> R read(Class<W> written, W value, Class<R> read) throws IOException {
        ValueCodec<List<W>> writer = Codecs.value(Codecs.list(DERIVATION.of(written)));
        ValueCodec<List<R>> reader = Codecs.value(Codecs.list(DERIVATION.of(read)));
        assertNotEquals(writer.id(), reader.id());
        byte[] payload = Payloads.encode(writer, List.of(value, value), 100);
        List<R> both = Payloads.decode(reader, payload, 7);
        assertEquals(both.get(0), both.get(1));
        return both.get(0);
    }

    private static String refused(Class<?> written, Object value, Class<?> read) {
        return assertThrows(MalformedDataException.class, () -> readAny(written, value, read))
                .reason();
    }

    @SuppressWarnings("unchecked") // of the class that it is
    private static <W> void readAny(Class<W> written, Object value, Class<?> read) throws IOException {
        read(written, (W) value, read);
    }

    enum Rank {
        LOW,
        HIGH
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record V1(
            int id,
            String name,
            short small,
            float ratio,
            Part inner,
            List<Integer> marks,
            Map<String, Short> counts,
            Rank level,
            long[] gone,
            @Nullable String goneToo) {}

    record Part(byte a, String b) {}

    private static V1 sample() {
        return new V1(
                7,
                "n",
                (short) 3,
                0.5f,
                new Part((byte) 1, "b"),
                List.of(1, 2),
                Map.of("k", (short) 9),
                Rank.HIGH,
                new long[] {1, 2, 3},
                null);
    }

    /** Other versions. */
    private static final class Later {

        enum Level {
            NEW,
            HIGH,
            LOW
        }

        record Inner(String b, long a, @Nullable String c) {}

        record V2(
                List<Long> marks,
                double ratio,
                String name,
                long id,
                Map<String, Integer> counts,
                int small,
                Level level,
                Inner inner,
                Optional<String> added,
                @Nullable Integer addedToo) {}

        record Needs(int id, String more) {}

        record Narrow(byte id) {}

        record Other(String id) {}

        record Inside(Deeper inner) {}

        record Deeper(String a) {}
    }

    @Test
    void addedRemovedReorderedAndWidenedFieldsAreRead() throws IOException {
        Later.V2 read = read(V1.class, sample(), Later.V2.class);
        assertEquals(
                new Later.V2(
                        List.of(1L, 2L),
                        0.5,
                        "n",
                        7,
                        Map.of("k", 9),
                        3,
                        Later.Level.HIGH,
                        new Later.Inner("b", 1, null),
                        Optional.empty(),
                        null),
                read);
    }

    @Test
    void aFieldThatMustBeThereIsNamedWhenItIsNot() {
        assertEquals(
                "[].more: schema mismatch: RECORD V1 was written without it",
                refused(V1.class, sample(), Later.Needs.class));
    }

    @Test
    void aFieldThatWouldLoseBitsIsNamed() {
        assertEquals(
                "[].id: schema mismatch: written as int, read as byte",
                refused(V1.class, sample(), Later.Narrow.class));
    }

    @Test
    void aFieldOfAnotherTypeIsNamed() {
        assertEquals(
                "[].id: schema mismatch: written as int, read as text", refused(V1.class, sample(), Later.Other.class));
    }

    @Test
    void aFieldDeepInsideIsNamedByItsPath() {
        assertEquals(
                "[].inner.a: schema mismatch: written as byte, read as text",
                refused(V1.class, sample(), Later.Inside.class));
    }

    record Must(String text) {}

    record May(@Nullable String text) {}

    @Test
    void whatWasNeverNullIsReadWhereNullMayBeButNotTheOtherWayRound() throws IOException {
        assertEquals(new May("x"), read(Must.class, new Must("x"), May.class));
        assertEquals(
                "[].text: schema mismatch: it may be missing as written, but not as read",
                refused(May.class, new May("x"), Must.class));
    }

    enum Wide {
        A,
        B
    }

    enum Less {
        B
    }

    @Test
    void aConstantThatIsGoneIsRefusedWhenItComesAndNamed() throws IOException {
        ValueCodec<List<Wide>> writer = Codecs.value(Codecs.list(Codecs.enumeration(Wide.class)));
        ValueCodec<List<Less>> reader = Codecs.value(Codecs.list(Codecs.enumeration(Less.class)));
        assertEquals(List.of(Less.B), Payloads.decode(reader, Payloads.encode(writer, List.of(Wide.B), 64), 64));
        byte[] gone = Payloads.encode(writer, List.of(Wide.B, Wide.A), 64);
        MalformedDataException e = assertThrows(MalformedDataException.class, () -> Payloads.decode(reader, gone, 64));
        assertEquals("[1]: enum " + Less.class.getName() + " has no constant A", e.reason());
    }

    /** A bean of an older version. */
    public static final class OldBean {
        public int id = 1;
    }

    /** The same with a field more. */
    public static final class NewBean {
        public int id = 1;
        public String label = "default";

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof NewBean bean && bean.id == id && bean.label.equals(label);
        }

        @Override
        public int hashCode() {
            return id;
        }
    }

    @Test
    void aBeanKeepsItsDefaultsForWhatWasNotWritten() throws IOException {
        OldBean old = new OldBean();
        old.id = 5;
        NewBean read = read(OldBean.class, old, NewBean.class);
        assertEquals(5, read.id);
        assertEquals("default", read.label);
    }

    record Tree1(String name, List<Tree1> children) {}

    record Tree2(List<Tree2> children, @Nullable String more, String name) {}

    @Test
    void aTypeThatContainsItselfEvolves() throws IOException {
        Tree1 tree = new Tree1("a", List.of(new Tree1("b", List.of()), new Tree1("c", List.of())));
        Tree2 read = read(Tree1.class, tree, Tree2.class);
        assertEquals(
                new Tree2(List.of(new Tree2(List.of(), null, "b"), new Tree2(List.of(), null, "c")), null, "a"), read);
    }

    record Kept(int id) {}

    record GoneFlag(int id, Boolean gone) {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record GoneFlags(int id, boolean[] gone) {}

    record GoneText(int id, String gone) {}

    record GoneRank(int id, Rank gone) {}

    record GoneMaybe(int id, List<Optional<Byte>> gone) {}

    /** What is said of a value whose end, in the field that is passed over, is put in the place of another end. */
    private static <W> String refusedPassedOver(Class<W> written, W value, int... end) throws IOException {
        byte[] payload = Payloads.encode(Codecs.value(DERIVATION.of(written)), value, 1 << 20);
        ValueCodec<Kept> reader = Codecs.value(DERIVATION.of(Kept.class));
        assertEquals(new Kept(1), Payloads.decode(reader, payload, 3));
        for (int i = 0; i < end.length; i++) {
            payload[payload.length - end.length + i] = (byte) end[i];
        }
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> Payloads.decode(reader, payload, 3));
        assertEquals(true, e.offset() >= payload.length - end.length && e.offset() < payload.length, e.getMessage());
        return e.reason();
    }

    @Test
    void whatIsPassedOverMustBeWellFormedToo() throws IOException {
        assertEquals("gone: boolean of value 2", refusedPassedOver(GoneFlag.class, new GoneFlag(1, true), 2));
        assertEquals(
                "gone: boolean of value 2",
                refusedPassedOver(GoneFlags.class, new GoneFlags(1, new boolean[] {true, false, true}), 2));
        assertEquals(
                "gone: unknown text coding 3", refusedPassedOver(GoneText.class, new GoneText(1, "abc"), 15, 0, 0, 0));
        assertEquals(
                "gone: UTF-16 text of an odd number of bytes, 3",
                refusedPassedOver(GoneText.class, new GoneText(1, "abc"), 14, 0, 0, 0));
        assertEquals(
                "gone: constant 2 of 2 of enum Rank", refusedPassedOver(GoneRank.class, new GoneRank(1, Rank.LOW), 2));
        assertEquals(
                "gone: boolean of value 3",
                refusedPassedOver(GoneMaybe.class, new GoneMaybe(1, List.of(Optional.empty())), 3));
    }
}
