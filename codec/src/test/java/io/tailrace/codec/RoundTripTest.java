// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tailrace.codec.elements.StringBytes;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written comes back, in regions and buffers of any size, and the bytes do not depend on the size. */
class RoundTripTest {

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    private static final Derivation SHARING = Derivation.builder(MethodHandles.lookup())
            .shared(Node.class)
            .shared(String.class)
            .build();

    enum Colour {
        RED,
        GREEN {
            @Override
            int light() {
                return 2;
            }
        };

        int light() {
            return 1;
        }
    }

    record Primitives(
            boolean flag, byte tiny, short small, char letter, int number, long big, float real, double exact) {}

    record Boxed(
            Boolean flag,
            Byte tiny,
            Short small,
            Character letter,
            Integer number,
            Long big,
            Float real,
            Double exact) {}

    record Row(long id, double price, int quantity, long time, String symbol, String comment) {}

    record Times(
            Instant instant,
            Duration duration,
            LocalDate date,
            LocalTime time,
            LocalDateTime dateTime,
            OffsetDateTime offset,
            ZonedDateTime zoned,
            Period period,
            Year year,
            YearMonth month,
            ZoneId zone,
            ZoneOffset zoneOffset,
            OffsetTime offsetTime,
            MonthDay monthDay,
            OptionalInt someInt,
            OptionalLong noLong,
            OptionalDouble someDouble,
            ByteBuffer buffer,
            UUID uuid,
            BigDecimal decimal,
            BigInteger integer) {}

    record Address(String street, @Nullable String zip) {}

    record Nested(
            String name,
            Address home,
            @Nullable Address work,
            List<Address> others,
            Map<String, List<Integer>> scores,
            Set<Colour> colours,
            Optional<String> nick,
            Optional<Address> holiday,
            List<@Nullable String> gaps,
            @Nullable Integer age) {}

    record Empty() {}

    record Node(String name, List<Node> children, @Nullable Node next) {}

    sealed interface Shaped permits Circle, Square, Solid {}

    record Circle(double radius) implements Shaped {}

    record Square(int side) implements Shaped {}

    sealed interface Solid extends Shaped permits Cube {}

    record Cube(int side, Shaped inside) implements Solid {}

    @SuppressWarnings("ArrayRecordComponent") // compared by hand
    record Arrays4(
            boolean[] booleans,
            byte[] bytes,
            short[] shorts,
            char[] chars,
            int[] ints,
            long[] longs,
            float[] floats,
            double[] doubles,
            String[] texts,
            int[][] table,
            List<String>[] lists) {}

    /** A bean. */
    public static final class Bean {
        public int open = 7;
        private String name = "";
        private boolean done;
        private @Nullable Long count;

        public String getName() {
            return name;
        }

        public void setName(String to) {
            name = to;
        }

        public boolean isDone() {
            return done;
        }

        public void setDone(boolean to) {
            done = to;
        }

        @Nullable
        public Long getCount() {
            return count;
        }

        public void setCount(@Nullable Long to) {
            count = to;
        }

        public int getDerived() {
            return open * 2;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Bean bean
                    && bean.open == open
                    && bean.name.equals(name)
                    && bean.done == done
                    && Objects.equals(bean.count, count);
        }

        @Override
        public int hashCode() {
            return open;
        }
    }

    /** A value and its codec. */
    record Case<T>(String name, Codec<T> codec, T value) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static <T> Case<T> of(Class<T> type, T value) {
        return new Case<>(type.getSimpleName(), DERIVATION.of(type), value);
    }

    static Stream<Case<?>> cases() {
        Address home = new Address("High Street 1", null);
        Bean bean = new Bean();
        bean.open = -1;
        bean.setName("b\u00e9an");
        bean.setDone(true);
        bean.setCount(5L);
        return Stream.of(
                of(Primitives.class, new Primitives(true, (byte) -1, (short) -2, '\u4e2d', -3, -4L, -5.5f, -6.25)),
                of(Boxed.class, new Boxed(false, (byte) 1, (short) 2, 'a', 3, 4L, 5.5f, Double.NaN)),
                of(Row.class, new Row(1, 2.5, 3, 4, "ABC", "a comment \u4e2d\u6587")),
                of(
                        Times.class,
                        new Times(
                                Instant.MAX,
                                Duration.ofNanos(-1),
                                LocalDate.MIN,
                                LocalTime.MAX,
                                LocalDateTime.MAX,
                                OffsetDateTime.MIN,
                                ZonedDateTime.ofLocal(
                                        LocalDateTime.of(2026, 10, 25, 2, 30),
                                        ZoneId.of("Europe/Berlin"),
                                        ZoneOffset.ofHours(1)),
                                Period.of(1, -2, 3),
                                Year.of(2026),
                                YearMonth.of(2026, 11),
                                ZoneId.of("America/New_York"),
                                ZoneOffset.ofHoursMinutes(-3, -30),
                                OffsetTime.MAX,
                                MonthDay.of(2, 29),
                                OptionalInt.of(-1),
                                OptionalLong.empty(),
                                OptionalDouble.of(0.5),
                                ByteBuffer.wrap(new byte[] {1, 2, 3, 4}, 1, 2),
                                new UUID(1, -1),
                                new BigDecimal("-12345678901234567890.123"),
                                BigInteger.TWO.pow(200))),
                of(
                        Nested.class,
                        new Nested(
                                "n",
                                home,
                                new Address("", "12345"),
                                List.of(home, home),
                                new LinkedHashMap<>(Map.of("a", List.of(1, 2, 3))),
                                new LinkedHashSet<>(List.of(Colour.GREEN, Colour.RED)),
                                Optional.of("nick"),
                                Optional.empty(),
                                Arrays.asList("x", null, "y"),
                                null)),
                of(Empty.class, new Empty()),
                of(
                        Node.class,
                        new Node(
                                "root", List.of(new Node("leaf", List.of(), null)), new Node("next", List.of(), null))),
                of(Shaped.class, new Cube(3, new Cube(2, new Circle(0.5)))),
                of(Bean.class, bean),
                new Case<>("texts", Codecs.list(Codecs.TEXT), texts()),
                new Case<>("empty records", Codecs.list(DERIVATION.of(Empty.class)), List.of(new Empty(), new Empty())),
                new Case<>(
                        "shared texts and nodes",
                        Codecs.map(Codecs.shared(Codecs.TEXT), SHARING.of(Node.class)),
                        shared()),
                new Case<>("nullable root", Codecs.nullable(Codecs.TEXT), null),
                new Case<>("optional root", Codecs.optional(Codecs.INT), Optional.of(5)),
                new Case<>(
                        "optional of optional",
                        Codecs.optional(Codecs.optional(Codecs.INT)),
                        Optional.of(Optional.empty())));
    }

    private static Map<String, Node> shared() {
        Node leaf = new Node("leaf", List.of(), null);
        Node both = new Node("both", List.of(leaf, new Node("b", List.of(), leaf), leaf), leaf);
        return new LinkedHashMap<>(Map.of("a", both, "b", new Node("root", List.of(leaf, both), both)));
    }

    /** Of every length around the edges of how text is written, in every coding. */
    static List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (int length :
                new int[] {0, 1, 2, 3, 4, 7, 8, 12, 13, 15, 16, 17, 31, 32, 63, 64, 4095, 4096, 4097, 10_000}) {
            texts.add("a".repeat(length));
            texts.add("\u00e9".repeat(length));
            texts.add("\u4e2d".repeat(length));
            texts.add("a".repeat(length) + "\ud83d\ude00");
            texts.add("a".repeat(length) + "\ud83d");
        }
        return texts;
    }

    @ParameterizedTest
    @MethodSource("cases")
    <T> void everyValueComesBack(Case<T> one) throws IOException {
        ValueCodec<T> codec = Codecs.value(one.codec());
        byte[] whole = Payloads.encode(codec, one.value(), 1 << 20);
        for (int region : new int[] {64, 65, 67, 71, 100, 1_000, 65_536}) {
            assertArrayEquals(whole, Payloads.encode(codec, one.value(), region), "regions of " + region);
        }
        for (int buffer : new int[] {1, 2, 3, 7, 64, 1_000, whole.length}) {
            assertEquals(one.value(), Payloads.decode(codec, whole, buffer), "buffers of " + buffer);
        }
    }

    @Test
    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of lists
    void arraysComeBack() throws IOException {
        byte[] blob = new byte[5_000];
        for (int i = 0; i < blob.length; i++) {
            blob[i] = (byte) i;
        }
        Arrays4 value = new Arrays4(
                new boolean[] {true, false},
                blob,
                new short[] {1, -1},
                new char[] {'a', '\uffff'},
                new int[] {1, 2, 3},
                new long[1_000],
                new float[] {Float.MIN_VALUE},
                new double[] {Double.NaN, 1},
                new String[] {"a", "b"},
                new int[][] {{1}, {}, {2, 3}},
                new List[] {List.of("x")});
        ValueCodec<Arrays4> codec = Codecs.value(DERIVATION.of(Arrays4.class));
        for (int region : new int[] {64, 999, 1 << 20}) {
            Arrays4 read = Payloads.decode(codec, Payloads.encode(codec, value, region), region);
            assertArrayEquals(value.booleans(), read.booleans());
            assertArrayEquals(value.bytes(), read.bytes());
            assertArrayEquals(value.shorts(), read.shorts());
            assertArrayEquals(value.chars(), read.chars());
            assertArrayEquals(value.ints(), read.ints());
            assertArrayEquals(value.longs(), read.longs());
            assertArrayEquals(value.floats(), read.floats());
            assertArrayEquals(value.doubles(), read.doubles());
            assertArrayEquals(value.texts(), read.texts());
            assertArrayEquals(value.table(), read.table());
            assertArrayEquals(value.lists(), read.lists());
        }
    }

    @Test
    void bothWaysToTakeATextGiveTheSameBytes() {
        TextStage stage = new TextStage();
        byte[] direct = new byte[20_000];
        byte[] open = new byte[20_000];
        int compared = 0;
        for (String text : texts()) {
            if (text.length() <= Text.SHORT_CHARS && StringBytes.OPEN) {
                int end = Text.putDirect(text, direct, 3);
                assertEquals(end, Text.putPublic(text, open, 3, stage));
                assertArrayEquals(Arrays.copyOf(direct, end), Arrays.copyOf(open, end));
                compared++;
            }
        }
        assertEquals(StringBytes.OPEN, compared > 0);
    }
}
