// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bytes that no encoder wrote give a value or one of our own exceptions, with its place, and little memory is taken. */
class HostileValueTest {

    private static final Derivation DERIVATION =
            Derivation.builder(MethodHandles.lookup()).build();
    private static final DecoderLimits LIMITS = DecoderLimits.DEFAULT.withPayloadBytes(1 << 20);

    static Stream<RoundTripTest.Case<?>> cases() {
        return RoundTripTest.cases().filter(one -> !one.name().equals("texts"));
    }

    private static <T> @Nullable T decode(ValueCodec<T> codec, byte[] payload) throws IOException {
        return codec.decode(Payloads.input(payload, 64, LIMITS));
    }

    @ParameterizedTest
    @MethodSource("cases")
    <T> void everyTruncationIsSeen(RoundTripTest.Case<T> one) throws IOException {
        ValueCodec<T> codec = Codecs.value(one.codec());
        byte[] payload = Payloads.encode(codec, one.value(), 1 << 20);
        for (int length = 0; length < payload.length; length++) {
            byte[] cut = Arrays.copyOf(payload, length);
            MalformedDataException e = assertThrows(MalformedDataException.class, () -> decode(codec, cut));
            assertTrue(e.offset() >= 0 && e.offset() <= length, e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    <T> void everyFlippedBitGivesAValueOrOneOfOurExceptions(RoundTripTest.Case<T> one) throws IOException {
        ValueCodec<T> codec = Codecs.value(one.codec());
        byte[] payload = Payloads.encode(codec, one.value(), 1 << 20);
        int refused = 0;
        for (int bit = 0; bit < 8 * payload.length; bit++) {
            payload[bit >>> 3] ^= (byte) (1 << (bit & 7));
            try {
                decode(codec, payload);
            } catch (ResultException e) {
                assertTrue(e instanceof MalformedDataException || e instanceof ResultTooLargeException, e.toString());
                refused++;
            }
            payload[bit >>> 3] ^= (byte) (1 << (bit & 7));
        }
        assertTrue(refused > 0);
    }

    record Address(String street, int zip) {}

    record Person(String name, Address home) {}

    record Book(List<Person> rows) {}

    @Test
    void thePathSaysWhereAValueIsMalformed() throws IOException {
        ValueCodec<Book> codec = Codecs.value(DERIVATION.of(Book.class));
        byte[] payload = Payloads.encode(
                codec,
                new Book(List.of(
                        new Person("a", new Address("x", 1)), new Person("b", new Address("yyyyyyyyyyyyyy", 2)))),
                1 << 20);
        byte[] cut = Arrays.copyOf(payload, payload.length - 3);
        MalformedDataException e = assertThrows(MalformedDataException.class, () -> decode(codec, cut));
        assertEquals("rows[1].home.street: payload ends inside a value", e.reason());
        assertEquals(cut.length, e.offset());
    }

    @Test
    void aValueThatDoesNotFitSaysWhere() {
        ValueCodec<Book> codec = Codecs.value(DERIVATION.of(Book.class));
        Book book = new Book(List.of(new Person("a", new Address("x", 1)), new Person("b", new Address(null, 2))));
        MalformedDataException e =
                assertThrows(MalformedDataException.class, () -> Payloads.encode(codec, book, 1 << 20));
        assertEquals("rows[1].home.street: null where none may be", e.reason());
    }

    record Picky(int age) {
        Picky {
            if (age < 0) {
                throw new IllegalArgumentException("age " + age);
            }
        }

        @Override
        public int age() {
            if (age == 99) {
                throw new IllegalStateException("not telling");
            }
            return age;
        }
    }

    @Test
    void whatAConstructorOrAccessorThrowsIsToldWithItsPlace() throws IOException {
        ValueCodec<List<Picky>> codec = Codecs.value(Codecs.list(DERIVATION.of(Picky.class)));
        MalformedDataException writing = assertThrows(
                MalformedDataException.class,
                () -> Payloads.encode(codec, List.of(new Picky(1), new Picky(99)), 1 << 20));
        assertEquals("[1].age: java.lang.IllegalStateException: not telling", writing.reason());
        assertEquals(IllegalStateException.class, writing.getCause().getClass());
        byte[] payload = Payloads.encode(codec, List.of(new Picky(1), new Picky(2)), 1 << 20);
        payload[payload.length - 1] = -1;
        MalformedDataException reading = assertThrows(MalformedDataException.class, () -> decode(codec, payload));
        assertEquals("[1].new Picky: java.lang.IllegalArgumentException: age -16777214", reading.reason());
    }

    record Chain(@Nullable Chain next) {}

    @Test
    void nestingIsBounded() throws IOException {
        Codec<Chain> chains = DERIVATION.of(Chain.class);
        Chain chain = new Chain(null);
        for (int i = 0; i < 600; i++) {
            chain = new Chain(chain);
        }
        Chain deep = chain;
        ResultTooLargeException writing =
                assertThrows(ResultTooLargeException.class, () -> Payloads.encode(Codecs.value(chains), deep, 1 << 20));
        assertEquals(512, writing.limit());
        ValueLimits deeper = ValueLimits.DEFAULT.withDepth(1_000);
        byte[] payload = Payloads.encode(Codecs.value(chains, deeper), deep, 1 << 20);
        assertEquals(deep, decode(Codecs.value(chains, deeper), payload));
        ResultTooLargeException reading =
                assertThrows(ResultTooLargeException.class, () -> decode(Codecs.value(chains), payload));
        assertEquals(513, reading.actual());
    }

    @Test
    void elementsAreBounded() throws IOException {
        Codec<List<Boolean>> list = Codecs.list(Codecs.BOOLEAN);
        byte[] payload = Payloads.encode(Codecs.value(list), List.of(true, false, true), 1 << 20);
        ValueCodec<List<Boolean>> two = Codecs.value(list, ValueLimits.DEFAULT.withElements(2));
        ResultTooLargeException e = assertThrows(ResultTooLargeException.class, () -> decode(two, payload));
        assertEquals(2, e.limit());
        assertEquals(3, e.actual());
    }

    record Tree(List<Tree> children) {}

    private static byte[] join(byte[]... parts) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void listsInsideListsDoNotEachTakeMemoryAhead() throws IOException {
        ValueCodec<Tree> codec = Codecs.value(DERIVATION.of(Tree.class));
        byte[] empty = Payloads.encode(codec, new Tree(List.of()), 1 << 20);
        byte[] payload = Arrays.copyOf(empty, empty.length - 1);
        for (int level = 0; level < 500; level++) {
            payload = join(payload, new byte[] {-128, -128, 8});
        }
        byte[] bomb = payload;
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        assertThrows(MalformedDataException.class, () -> decode(codec, bomb));
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThrows(MalformedDataException.class, () -> decode(codec, bomb));
        long taken = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(taken < 4 << 20, taken + " bytes for " + bomb.length);
    }

    record Nothing() {}

    private static void name(java.io.ByteArrayOutputStream to, String name) {
        to.write(name.length());
        to.writeBytes(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private static void varint(java.io.ByteArrayOutputStream to, int value) {
        for (int rest = value; ; rest >>>= 7) {
            if (rest < 128) {
                to.write(rest);
                return;
            }
            to.write((rest & 127) | 128);
        }
    }

    @Test
    void aFieldOfEndlessNestingIsPassedOverOnlySoDeep() throws IOException {
        java.io.ByteArrayOutputStream schema = new java.io.ByteArrayOutputStream();
        schema.writeBytes(new byte[] {1, 1, 0x40, 1, 'A', 1, 1, 'x'});
        for (int i = 0; i < 60; i++) {
            schema.write(0x30);
        }
        schema.writeBytes(new byte[] {0x40, 0, 0x40, 0});
        java.io.ByteArrayOutputStream payload = new java.io.ByteArrayOutputStream();
        varint(payload, schema.size());
        payload.writeBytes(schema.toByteArray());
        for (int i = 0; i < 100_000; i++) {
            payload.write(1);
        }
        ValueCodec<Nothing> codec = Codecs.value(DERIVATION.of(Nothing.class));
        ResultTooLargeException e =
                assertThrows(ResultTooLargeException.class, () -> decode(codec, payload.toByteArray()));
        assertTrue(e.reason().endsWith("nested too deep to be passed over"), e.reason());
    }

    record Deep(@Nullable Deep next) {}

    /** A record whose first field is such a record takes no bytes at all, and is passed over below others that are read. */
    @Test
    void noNestingOverflowsAStackSmallerThanUsual() throws Exception {
        byte[] schema = {
            1, 2, //
            0x40, 1, 'A', 1, 1, 'x', 0x40, 0, //
            0x40, 1, 'B', 2, 4, 'n', 'e', 'x', 't', 0x32, 0x40, 1, 1, 'x', 0x40, 0, //
            0x40, 1
        };
        ValueCodec<Deep> codec = Codecs.value(DERIVATION.of(Deep.class));
        for (int time = 0; time < 2_000; time++) { // interpreted at first, then compiled
            int read = time % 4 * 160;
            java.io.ByteArrayOutputStream payload = new java.io.ByteArrayOutputStream();
            varint(payload, schema.length);
            payload.writeBytes(schema);
            payload.writeBytes("\1".repeat(read).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            payload.write(0);
            Throwable[] thrown = new Throwable[1];
            Thread small = new Thread(
                    null,
                    () -> {
                        try {
                            decode(codec, payload.toByteArray());
                        } catch (Throwable e) {
                            thrown[0] = e;
                        }
                    },
                    "small",
                    640 << 10);
            small.start();
            small.join();
            assertTrue(thrown[0] instanceof ResultTooLargeException, read + ": " + thrown[0]);
            assertTrue(thrown[0].getMessage().contains("nested too deep to be passed over"), thrown[0].toString());
        }
    }

    @Test
    void aSchemaOfEndlessRecordsIsRefused() throws IOException {
        for (int records : new int[] {600, 5_000}) {
            java.io.ByteArrayOutputStream schema = new java.io.ByteArrayOutputStream();
            schema.write(1);
            varint(schema, records);
            for (int i = 0; i < records; i++) {
                schema.write(0x40);
                name(schema, "R");
                schema.write(1);
                name(schema, "next");
                schema.write(0x32);
                schema.write(0x40);
                varint(schema, (i + 1) % records);
            }
            schema.write(0x40);
            schema.write(0);
            java.io.ByteArrayOutputStream payload = new java.io.ByteArrayOutputStream();
            varint(payload, schema.size());
            payload.writeBytes(schema.toByteArray());
            payload.write(0);
            ValueCodec<Chain> codec = Codecs.value(DERIVATION.of(Chain.class));
            ResultTooLargeException e =
                    assertThrows(ResultTooLargeException.class, () -> decode(codec, payload.toByteArray()));
            assertTrue(e.reason().endsWith("schema nested too deep"), e.reason());
        }
    }

    @Test
    void aCountThatLiesTakesNoMemoryAhead() throws IOException {
        ValueCodec<List<Long>> codec = Codecs.value(Codecs.list(Codecs.LONG));
        byte[] payload = Payloads.encode(codec, List.of(), 1 << 20);
        byte[] lying = Arrays.copyOf(payload, payload.length + 4);
        System.arraycopy(new byte[] {-1, -1, -1, -1, 7}, 0, lying, payload.length - 1, 5);
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        assertThrows(MalformedDataException.class, () -> Payloads.decode(codec, lying, 64)); // classes are loaded now
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThrows(MalformedDataException.class, () -> Payloads.decode(codec, lying, 64));
        long taken = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(taken < (1 << 20) + (200 << 10), taken + " bytes for 2 billion elements that never came");
    }

    private static <T> void refusedAsTooLarge(ValueCodec<T> codec, byte[] payload, String reason) {
        for (int buffer : new int[] {1, 64, payload.length}) {
            ResultTooLargeException e = assertThrows(
                    ResultTooLargeException.class,
                    () -> codec.decode(Payloads.input(payload, buffer, LIMITS.withValueBytes(99))));
            assertEquals(reason, e.reason());
            assertEquals(99, e.limit());
            assertEquals(100, e.actual());
        }
    }

    @Test
    void aTextAboveTheLimitIsRefusedAlsoWhereItLiesInOneBuffer() throws IOException {
        String text = "a".repeat(100);
        ValueCodec<List<String>> list = Codecs.value(Codecs.list(Codecs.TEXT));
        refusedAsTooLarge(
                list, Payloads.encode(list, List.of(text.substring(1), text), 1 << 20), "[1]: value too large");
        ValueCodec<Address> record = Codecs.value(DERIVATION.of(Address.class));
        refusedAsTooLarge(record, Payloads.encode(record, new Address(text, 1), 1 << 20), "street: value too large");
    }

    @Test
    void aCountAboveWhatTheLimitLeavesIsRefusedBeforeMemoryIsTaken() throws IOException {
        ValueCodec<List<Byte>> codec = Codecs.value(Codecs.list(Codecs.BYTE));
        byte[] payload = Payloads.encode(codec, java.util.Collections.nCopies(2_000, (byte) 1), 1 << 20);
        ResultTooLargeException e = assertThrows(
                ResultTooLargeException.class,
                () -> codec.decode(Payloads.input(payload, 64, DecoderLimits.DEFAULT.withPayloadBytes(1_000))));
        assertEquals("count exceeds what its limit leaves", e.reason());
        assertEquals(1_000, e.limit());
        assertEquals(payload.length, e.actual());
        assertEquals(payload.length - 2_002, e.offset());
    }

    @Test
    void nanosecondsThatAreASecondAreRefused() throws IOException {
        ValueCodec<List<java.time.Instant>> instants =
                Codecs.value(Codecs.list(DERIVATION.of(java.time.Instant.class)));
        ValueCodec<java.time.Duration> duration = Codecs.value(DERIVATION.of(java.time.Duration.class));
        byte[] instant = Payloads.encode(instants, List.of(java.time.Instant.EPOCH), 1 << 20);
        byte[] length = Payloads.encode(duration, java.time.Duration.ZERO, 1 << 20);
        instant[instant.length - 1] = -1;
        length[length.length - 1] = 0x40;
        MalformedDataException e = assertThrows(MalformedDataException.class, () -> decode(instants, instant));
        assertEquals("[0]: nanos of value -16777216", e.reason());
        assertEquals(instant.length - 4, e.offset());
        assertEquals(
                "nanos of value 1073741824",
                assertThrows(MalformedDataException.class, () -> decode(duration, length))
                        .reason());
    }
}
