// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which classes have a codec, and what is said, when it is built, of those that have none. */
class DerivationTest {

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();

    private static String refused(Class<?> type) {
        return assertThrows(IllegalArgumentException.class, () -> DERIVATION.of(type))
                .getMessage();
    }

    private static <T> T roundTrip(Codec<T> codec, T value) throws IOException {
        ValueCodec<T> whole = Codecs.value(codec);
        return Payloads.decode(whole, Payloads.encode(whole, value, 70), 11);
    }

    interface Open {}

    record HasOpen(String name, List<Map<String, Open>> ways) {}

    record HasRaw(Object any) {}

    record Generic<A>(A any) {}

    record HasGeneric(Generic<String> one) {}

    /** No constructor without arguments. */
    static final class Bare {
        Bare(int unused) {}
    }

    /** Nothing to carry. */
    static final class Nothing {}

    @SuppressWarnings("ClassCanBeStatic") // that it is not is the matter
    class Inner {}

    @Test
    void whatHasNoCodecIsSaidWithItsPlaceWhenTheCodecIsBuilt() {
        String name = DerivationTest.class.getName();
        assertEquals(
                name + "$HasOpen.ways: " + name + "$Open is abstract, not sealed, and has no members registered",
                refused(HasOpen.class));
        assertTrue(
                refused(HasRaw.class).startsWith(name + "$HasRaw.any: java.lang.Object is no bean"),
                refused(HasRaw.class));
        assertTrue(refused(HasGeneric.class).contains("no codec for the generic class"), refused(HasGeneric.class));
        assertTrue(refused(Generic.class).contains("no codec for A"), refused(Generic.class));
        assertTrue(refused(Bare.class).contains("no constructor without arguments"), refused(Bare.class));
        assertTrue(refused(Nothing.class).contains("neither public fields nor properties"), refused(Nothing.class));
        assertTrue(refused(Inner.class).contains("inner class"), refused(Inner.class));
        assertTrue(refused(Thread.class).contains("java.lang.Thread"), refused(Thread.class));
    }

    private record Hidden(int id) {}

    @Test
    void aClassThatIsNotPublicNeedsALookupOfItsOwn() throws IOException {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> Derivation.builder().build().of(Hidden.class));
        assertTrue(e.getMessage().contains("is not accessible: derive it with a Lookup"), e.getMessage());
        assertEquals(new Hidden(3), roundTrip(DERIVATION.of(Hidden.class), new Hidden(3)));
    }

    /** A public one. */
    public record Shown(int id) {}

    @Test
    void aPublicClassNeedsNone() throws IOException {
        assertEquals(new Shown(3), roundTrip(Derivation.builder().build().of(Shown.class), new Shown(3)));
    }

    record Money(long cents) {
        String text() {
            return cents + " cents";
        }

        static Money of(String text) {
            return new Money(Long.parseLong(text.substring(0, text.indexOf(' '))));
        }
    }

    record Price(String what, Money money) {}

    @Test
    void aCodecOfTheCallersOwnIsTakenWhereverItsClassIsMet() throws IOException {
        Derivation derivation = Derivation.builder(MethodHandles.lookup())
                .with(Money.class, Codecs.mapped(Codecs.TEXT, Money::text, Money::of))
                .build();
        Codec<Price> codec = derivation.of(Price.class);
        assertEquals(new Price("x", new Money(5)), roundTrip(codec, new Price("x", new Money(5))));
        assertEquals(
                new Price("x", new Money(5)),
                Payloads.decode(
                        Codecs.value(codec),
                        Payloads.encode(Codecs.value(codec), new Price("x", new Money(5)), 64),
                        64));
    }

    abstract static class Animal {}

    /** One. */
    public static final class Dog extends Animal {
        public int bones;
    }

    /** Another. */
    public static final class Cat extends Animal {
        public String name = "";
    }

    @Test
    void membersOfAnOpenHierarchyAreRegisteredByTag() throws IOException {
        Derivation derivation = Derivation.builder(MethodHandles.lookup())
                .member(Animal.class, "dog", Dog.class)
                .member(Animal.class, "cat", Cat.class)
                .build();
        Dog dog = new Dog();
        dog.bones = 4;
        assertEquals(4, ((Dog) roundTrip(derivation.of(Animal.class), dog)).bones);
        Derivation dogs = Derivation.builder(MethodHandles.lookup())
                .member(Animal.class, "dog", Dog.class)
                .build();
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> roundTrip(dogs.of(Animal.class), new Cat()));
        assertTrue(e.reason().contains("Cat is not a member of union Animal"), e.reason());
        MalformedDataException gone = assertThrows(
                MalformedDataException.class,
                () -> Payloads.decode(
                        Codecs.value(dogs.of(Animal.class)),
                        Payloads.encode(Codecs.value(derivation.of(Animal.class)), new Cat(), 64),
                        64));
        assertEquals("union Animal has no member cat here", gone.reason());
    }

    @SuppressWarnings("ArrayRecordComponent") // compared by its own equals
    record Loose(String text, Integer number, List<String> list, String[] array) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Loose loose
                    && String.valueOf(text).equals(String.valueOf(loose.text))
                    && String.valueOf(number).equals(String.valueOf(loose.number))
                    && String.valueOf(list).equals(String.valueOf(loose.list))
                    && Arrays.equals(array, loose.array);
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    @Test
    @SuppressWarnings("NullAway") // nulls are the matter
    void nullIsAllowedEverywhereIfSaidSo() throws IOException {
        Derivation nullable =
                Derivation.builder(MethodHandles.lookup()).nullable().build();
        Codec<Loose> codec = nullable.of(Loose.class);
        Loose none = new Loose(null, null, null, null);
        assertEquals(none, roundTrip(codec, none));
        Loose some = new Loose("", 1, Arrays.asList("a", null), new String[] {null, "b"});
        assertEquals(some, roundTrip(codec, some));
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> roundTrip(DERIVATION.of(Loose.class), some));
        assertEquals("list[1]: null where none may be", e.reason());
    }

    record Crowd(Collection<String> names) {}

    @Test
    void aCollectionMayBeOfAnyKind() throws IOException {
        Codec<Crowd> codec = DERIVATION.of(Crowd.class);
        assertEquals(
                List.of("a"),
                List.copyOf(roundTrip(codec, new Crowd(Set.of("a"))).names()));
        assertEquals(
                List.of("a", "b"),
                List.copyOf(roundTrip(codec, new Crowd(new ArrayDeque<>(List.of("a", "b"))))
                        .names()));
    }

    static class Base {
        private int id;

        public int getId() {
            return id;
        }

        public void setId(int to) {
            id = to;
        }
    }

    /** Inherits a property of a class that is not public: the compiler puts bridges here. */
    public static class Heir extends Base {
        public String label = "";
    }

    /** Has a field of its own that hides one. */
    @SuppressWarnings("HidingField") // that it hides is the matter
    public static class Hiding extends Hidden2 {
        public String x = "mine";
    }

    /** Has a field that is hidden. */
    public static class Hidden2 {
        public String x = "hidden";
    }

    @Test
    void inheritedPropertiesAreCarriedAndHiddenFieldsAreNot() throws IOException {
        Heir heir = new Heir();
        heir.setId(7);
        heir.label = "l";
        Heir read = roundTrip(DERIVATION.of(Heir.class), heir);
        assertEquals(7, read.getId());
        assertEquals("l", read.label);
        Hiding hiding = new Hiding();
        hiding.x = "changed";
        assertEquals("changed", roundTrip(DERIVATION.of(Hiding.class), hiding).x);
    }

    /** Of two minds. */
    public static class Odd {
        public Integer getSize() {
            return 1;
        }

        public void setSize(int unused) {}
    }

    @Test
    void aPropertyWhoseGetterAndSetterDifferIsRefused() {
        assertTrue(refused(Odd.class).contains("Odd.size: getter and setter differ in type"), refused(Odd.class));
        assertTrue(refused(java.util.Date.class).contains("java.util.Date is no bean"), refused(java.util.Date.class));
    }

    @Test
    void aSubclassOfABeanIsNotCutDownToIt() {
        MalformedDataException e = assertThrows(
                MalformedDataException.class,
                () -> roundTrip(Codecs.list(DERIVATION.of(Hidden2.class)), List.of(new Hiding())));
        assertTrue(e.reason().startsWith("[0]: ") && e.reason().contains("Hiding is not"), e.reason());
    }

    record Holds(int before, Money money, int after) {}

    record HoldsMore(
            int before, Money money, int after, @Nullable String more) {}

    @Test
    void aGivenCodecThatMayWriteNothingHasItsMark() throws IOException {
        Codec<Money> text = Codecs.mapped(Codecs.TEXT, Money::text, Money::of);
        Codec<Money> maybe = Codecs.nullable(text);
        Codec<Money> mapped = Codecs.mapped(maybe, money -> money, money -> money);
        for (Codec<Money> given : List.of(maybe, mapped)) {
            Derivation derivation = Derivation.builder(MethodHandles.lookup())
                    .with(Money.class, given)
                    .build();
            Holds holds = new Holds(1, new Money(5), 2);
            assertEquals(holds, roundTrip(derivation.of(Holds.class), holds));
            byte[] payload = Payloads.encode(Codecs.value(derivation.of(Holds.class)), holds, 64);
            assertEquals(
                    new HoldsMore(1, new Money(5), 2, null),
                    Payloads.decode(Codecs.value(derivation.of(HoldsMore.class)), payload, 64));
        }
    }

    record Three(int a, int b, int c) {}

    record Two(int c, int b) {}

    @Test
    void aGivenCodecOfAPrimitiveIsTaken() throws IOException {
        List<Codec<Integer>> given = List.of(
                Codecs.mapped(Codecs.TEXT, n -> n.toString(), Integer::valueOf),
                Codecs.mapped(Codecs.LONG, n -> -(long) n, n -> (int) -n),
                Codecs.mapped(Codecs.INT, n -> n + 1, n -> n - 1),
                Codecs.nullable(Codecs.INT),
                Codecs.mapped(Codecs.nullable(Codecs.INT), n -> n == 22 ? null : n, n -> n == null ? 22 : n));
        for (Codec<Integer> codec : given) {
            Derivation derivation = Derivation.builder(MethodHandles.lookup())
                    .with(int.class, codec)
                    .build();
            assertEquals(new Three(1, 22, 333), roundTrip(derivation.of(Three.class), new Three(1, 22, 333)));
            byte[] payload = Payloads.encode(Codecs.value(derivation.of(Three.class)), new Three(1, 22, 333), 64);
            assertEquals(new Two(333, 22), Payloads.decode(Codecs.value(derivation.of(Two.class)), payload, 64));
        }
    }

    record Fails(Works works, Open bad) {}

    record Works(@Nullable Fails fails) {}

    @Test
    void aDerivationThatFailsLeavesNothingBehind() {
        Derivation derivation = Derivation.builder(MethodHandles.lookup()).build();
        assertThrows(IllegalArgumentException.class, () -> derivation.of(Fails.class));
        assertThrows(IllegalArgumentException.class, () -> derivation.of(Works.class));
    }

    sealed interface Token permits Word, Sign {}

    record Word(String text) implements Token {}

    enum Sign implements Token {
        COMMA,
        DOT {
            @Override
            boolean ends() {
                return true;
            }
        };

        boolean ends() {
            return false;
        }
    }

    @Test
    void anEnumMayBeAMember() throws IOException {
        List<Token> tokens = List.of(new Word("a"), Sign.COMMA, Sign.DOT);
        assertEquals(tokens, roundTrip(Codecs.list(DERIVATION.of(Token.class)), tokens));
    }

    private static final List<Map<String, Shown>> FIELD = new ArrayList<>();

    @Test
    @SuppressWarnings("unchecked") // of the field's type
    void aGenericTypeIsTakenAsItIs() throws Exception {
        Type type = DerivationTest.class.getDeclaredField("FIELD").getGenericType();
        assertTrue(type instanceof ParameterizedType);
        Codec<Object> codec = (Codec<Object>) DERIVATION.of(type);
        assertEquals(FIELD, roundTrip(codec, FIELD));
        assertEquals(List.of(Map.of("a", new Shown(1))), roundTrip(codec, List.of(Map.of("a", new Shown(1)))));
    }

    @Test
    void aRecordOfMoreFieldsThanACallTakesIsCarriedToo() throws IOException {
        Wide wide = new Wide();
        wide.a = "a";
        assertEquals("a", roundTrip(DERIVATION.of(Wide.class), wide).a);
    }

    /** Seventy-one fields that may be null: more marks than derived code takes. */
    public static final class Wide {
        @Nullable
        public String a;

        @Nullable
        public String f0;

        @Nullable
        public String f1;

        @Nullable
        public String f2;

        @Nullable
        public String f3;

        @Nullable
        public String f4;

        @Nullable
        public String f5;

        @Nullable
        public String f6;

        @Nullable
        public String f7;

        @Nullable
        public String f8;

        @Nullable
        public String f9;

        @Nullable
        public String f10;

        @Nullable
        public String f11;

        @Nullable
        public String f12;

        @Nullable
        public String f13;

        @Nullable
        public String f14;

        @Nullable
        public String f15;

        @Nullable
        public String f16;

        @Nullable
        public String f17;

        @Nullable
        public String f18;

        @Nullable
        public String f19;

        @Nullable
        public String f20;

        @Nullable
        public String f21;

        @Nullable
        public String f22;

        @Nullable
        public String f23;

        @Nullable
        public String f24;

        @Nullable
        public String f25;

        @Nullable
        public String f26;

        @Nullable
        public String f27;

        @Nullable
        public String f28;

        @Nullable
        public String f29;

        @Nullable
        public String f30;

        @Nullable
        public String f31;

        @Nullable
        public String f32;

        @Nullable
        public String f33;

        @Nullable
        public String f34;

        @Nullable
        public String f35;

        @Nullable
        public String f36;

        @Nullable
        public String f37;

        @Nullable
        public String f38;

        @Nullable
        public String f39;

        @Nullable
        public String f40;

        @Nullable
        public String f41;

        @Nullable
        public String f42;

        @Nullable
        public String f43;

        @Nullable
        public String f44;

        @Nullable
        public String f45;

        @Nullable
        public String f46;

        @Nullable
        public String f47;

        @Nullable
        public String f48;

        @Nullable
        public String f49;

        @Nullable
        public String f50;

        @Nullable
        public String f51;

        @Nullable
        public String f52;

        @Nullable
        public String f53;

        @Nullable
        public String f54;

        @Nullable
        public String f55;

        @Nullable
        public String f56;

        @Nullable
        public String f57;

        @Nullable
        public String f58;

        @Nullable
        public String f59;

        @Nullable
        public String f60;

        @Nullable
        public String f61;

        @Nullable
        public String f62;

        @Nullable
        public String f63;

        @Nullable
        public String f64;

        @Nullable
        public String f65;

        @Nullable
        public String f66;

        @Nullable
        public String f67;

        @Nullable
        public String f68;

        @Nullable
        public String f69;
    }

    record Wild(
            List<? extends @Nullable Integer> numbers,
            Map<? extends String, ? extends @Nullable Integer> more,
            List<? extends String> texts) {}

    @Test
    void aWildcardsBoundMayAllowNull() throws IOException {
        Map<String, @Nullable Integer> more = new LinkedHashMap<>();
        more.put("a", null);
        more.put("b", 2);
        Codec<Wild> codec = DERIVATION.of(Wild.class);
        Wild wild = new Wild(Arrays.asList(1, null, 3), more, List.of("x"));
        assertEquals(wild, roundTrip(codec, wild));
        MalformedDataException e = assertThrows(
                MalformedDataException.class,
                () -> roundTrip(codec, new Wild(List.of(), Map.of(), Arrays.asList("x", null))));
        assertEquals("texts[1]: null where none may be", e.reason());
    }
}
