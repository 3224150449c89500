// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import io.tailrace.codec.Codecs;
import io.tailrace.codec.Payloads;
import io.tailrace.codec.fory.ForySamples.Blobs;
import io.tailrace.codec.fory.ForySamples.Line;
import io.tailrace.codec.fory.ForySamples.Node;
import io.tailrace.codec.fory.ForySamples.Unknown;
import io.tailrace.codec.fory.ForySamples.Way;
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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.fory.Fory;
import org.apache.fory.memory.MemoryBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values by a Fory of the caller's. */
class ForyCodecsTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final int[] REGIONS = {64, 65, 100, 1_000, 1 << 20};
    private static final int[] BUFFERS = {1, 2, 3, 7, 64, 1_000, 1 << 20};

    @BeforeAll
    static void begin() {
        ForySamples.begin();
    }

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private static ForyCodecs codecs(Way way) {
        return ForyCodecs.of(way::fory);
    }

    private static <E> byte[] encodeAll(ValueCodec<Iterator<E>> each, List<E> elements, int region) throws IOException {
        return Payloads.encode(each, elements.iterator(), region);
    }

    private static <E> List<E> decodeAll(ValueCodec<Iterator<E>> each, byte[] payload, int buffer) throws IOException {
        return ForySamples.drained(each.decode(Payloads.input(payload, buffer, DecoderLimits.DEFAULT)));
    }

    @ParameterizedTest
    @EnumSource
    void elementsComeBackThroughRegionsAndBuffersOfAnySize(Way way) throws IOException {
        ForyCodecs codecs = codecs(way);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        List<Line> lines = ForySamples.lines(60);
        for (int region : REGIONS) {
            for (int round = 0; round < 2; round++) { // the second knows what an element takes
                byte[] payload = encodeAll(each, lines, region);
                for (int buffer : BUFFERS) {
                    assertEquals(lines, decodeAll(each, payload, buffer), region + " and " + buffer);
                }
            }
        }
        byte[] none = encodeAll(each, List.of(), 64);
        assertEquals(0, none.length);
        assertEquals(List.of(), decodeAll(each, none, 1));
        audit.cases(2L * REGIONS.length * BUFFERS.length);
    }

    @ParameterizedTest
    @EnumSource
    void aWholeValueIsOneElement(Way way) throws IOException {
        @SuppressWarnings("rawtypes")
        ValueCodec<ArrayList> value = codecs(way).value(ArrayList.class);
        ArrayList<Line> lines = new ArrayList<>(ForySamples.lines(60));
        for (int region : REGIONS) {
            byte[] payload = Payloads.encode(value, lines, region);
            for (int buffer : BUFFERS) {
                assertEquals(lines, Payloads.decode(value, payload, buffer));
            }
        }
    }

    @Test
    void referencesAreKeptWithinAnElementAndEndWithIt() throws IOException {
        Node ring = new Node();
        ring.name = "ring";
        ring.next = ring;
        ring.more.add(ring);
        ValueCodec<Iterator<Node>> each = codecs(Way.REFERENCES).each(Node.class);
        List<Node> read = decodeAll(each, encodeAll(each, List.of(ring, ring), 100), 7);
        assertEquals(2, read.size());
        for (Node node : read) {
            assertEquals("ring", node.name);
            assertSame(node, node.next);
            assertSame(node, node.more.get(0));
        }
        assertTrue(read.get(0) != read.get(1));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MANY_LANGUAGES")
    void arraysOfAnyLengthComeBackWhereverTheyGo(Way way) throws IOException {
        ForyCodecs codecs = codecs(way);
        ForyCodecs inBand = ForyCodecs.builder(way::fory).outOfBand(false).build();
        List<Blobs> blobs = new ArrayList<>();
        for (int length : new int[] {0, 1, 1_000, 1_023, 1_024, 8_191, 8_192, 20_000, 3}) {
            blobs.add(Blobs.of(length));
        }
        blobs.get(3).buffer.order(ByteOrder.LITTLE_ENDIAN);
        blobs.get(7).buffer.order(ByteOrder.LITTLE_ENDIAN);
        for (int region : new int[] {100, 4_096, 1 << 20}) {
            byte[] behind = encodeAll(codecs.each(Blobs.class), blobs, region);
            byte[] within = encodeAll(inBand.each(Blobs.class), blobs, region);
            for (int buffer : new int[] {1, 1_000, 1 << 22}) {
                assertEquals(blobs, decodeAll(codecs.each(Blobs.class), behind, buffer));
                assertEquals(blobs, decodeAll(inBand.each(Blobs.class), behind, buffer));
                assertEquals(blobs, decodeAll(codecs.each(Blobs.class), within, buffer));
            }
        }
        assertEquals(0, inBand.scratchBytes() >> 20);
    }

    @Test
    void elementsAreTheBytesThatForyWrites() throws IOException {
        Fory fory = Way.COMPILED.fory();
        List<Line> lines = ForySamples.lines(20);
        byte[] elements = {};
        for (Line line : lines) {
            byte[] element = fory.serialize(line);
            elements = Arrays.copyOf(elements, elements.length + element.length);
            System.arraycopy(element, 0, elements, elements.length - element.length, element.length);
        }
        for (int region : new int[] {100, 500, 1 << 20}) {
            ByteBuffer payload = ByteBuffer.wrap(encodeAll(codecs(Way.COMPILED).each(Line.class), lines, region))
                    .order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer read = ByteBuffer.allocate(elements.length);
            while (payload.hasRemaining()) {
                byte[] group = new byte[payload.getInt()];
                payload.get(group);
                read.put(group);
            }
            assertArrayEquals(elements, read.array());
        }
    }

    private static List<Integer> groups(byte[] payload) {
        List<Integer> groups = new ArrayList<>();
        ByteBuffer heads = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < payload.length; at += 4 + groups.get(groups.size() - 1)) {
            groups.add(heads.getInt(at));
        }
        return groups;
    }

    @Test
    void aRegionIsOneGroup() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        for (int round = 0; round < 4; round++) { // how much room Fory asks for is found out
            encodeAll(each, ForySamples.lines(2_000), 16 << 10);
        }
        long copied = codecs.copiedBytes();
        List<Integer> groups = groups(encodeAll(each, ForySamples.lines(2_000), 16 << 10));
        for (int group : groups.subList(0, groups.size() - 1)) {
            assertTrue(group > 15 << 10 && group <= 16 << 10, groups::toString);
        }
        assertEquals(9, groups.size());
        assertEquals(copied, codecs.copiedBytes());
    }

    @Test
    void bytesThatForyMakesRoomForInVainAreKeptFree() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<String>> each = codecs.each(String.class);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            texts.add("a text that takes one byte each but for its last \u4e2d" + i);
        }
        byte[] payload = encodeAll(each, texts, 64 << 10);
        assertEquals(texts, decodeAll(each, payload, 64 << 10));
        assertTrue(codecs.copiedBytes() < 1_000, codecs.copiedBytes() + " of " + payload.length);
    }

    @Test
    void afterABigElementSmallOnesAreWrittenInTheChunkAgain() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<String>> each = codecs.each(String.class);
        List<String> texts = new ArrayList<>(List.of("x".repeat(3 << 20)));
        for (int i = 0; i < 20_000; i++) {
            texts.add("text " + i);
        }
        byte[] payload = encodeAll(each, texts, 64 << 10);
        long small = codecs.copiedBytes() - (3 << 20);
        audit.figure(small + " of " + (payload.length - (3 << 20)) + " bytes copied after a big one");
        assertTrue(small < 5_000, small + " bytes");
        assertEquals(texts, decodeAll(each, payload, 64 << 10));
    }

    @Test
    void whatIsWholeIsInTheOutputWhenAnElementFails() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        byte[] good = encodeAll(codecs.each(Object.class), List.of("a", "b"), 1_000);
        List<Object> elements = List.of("a", "b", new Unknown(1));
        ResultException refused = refused(codecs.each(Object.class), elements);
        assertEquals(good.length, refused.offset());
        Iterator<Object> broken = Stream.<Object>generate(() -> {
                    throw new IllegalStateException("c");
                })
                .iterator();
        Iterator<Object> both = new Iterator<>() {
            private final Iterator<Object> first = elements.subList(0, 2).iterator();

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Object next() {
                return first.hasNext() ? first.next() : broken.next();
            }
        };
        WireOutput out = new WireOutput(new Referred(), 0, ID);
        MalformedDataException e = assertThrows(
                MalformedDataException.class, () -> codecs.each(Object.class).encode(both, out));
        assertEquals(good.length, e.offset());
        assertEquals(good.length, out.written());
    }

    @Test
    void nothingIsWrittenToMemoryThatIsTheOutputsNoMore() throws IOException {
        ValueCodec<Iterator<Object>> each = codecs(Way.COMPILED).each(Object.class);
        for (boolean taken : new boolean[] {true, false}) {
            WireOutput out = new WireOutput(new Referred(), 0, ID);
            List<byte[]> before = new ArrayList<>();
            List<byte[]> after = new ArrayList<>();
            Iterator<Object> elements = new Iterator<>() {
                private int index;

                @Override
                public boolean hasNext() {
                    return true;
                }

                @Override
                public Object next() {
                    if (index++ == 3) {
                        after.add(out.array());
                        if (taken) {
                            out.take();
                        } else {
                            out.commit(out.offset() + 1);
                        }
                        before.add(after.get(0).clone());
                    }
                    return "element " + index;
                }
            };
            MalformedDataException e = assertThrows(MalformedDataException.class, () -> each.encode(elements, out));
            assertTrue(e.reason().startsWith("[3]: ") && e.reason().contains("the output was used"), e.reason());
            assertArrayEquals(before.get(0), after.get(0));
        }
    }

    @Test
    void theInputMustNotBeUsedInTheMiddleOfAGroup() throws IOException {
        ValueCodec<Iterator<Line>> each = codecs(Way.COMPILED).each(Line.class);
        List<Line> lines = ForySamples.lines(20);
        byte[] payload = encodeAll(each, lines, 1 << 20);
        for (int buffer : new int[] {payload.length, payload.length - 1}) {
            for (boolean taken : new boolean[] {true, false}) {
                WireInput in =
                        Payloads.input(Arrays.copyOf(payload, payload.length + 1), buffer + 1, DecoderLimits.DEFAULT);
                Iterator<Line> read = each.decode(in);
                assertEquals(lines.get(0), read.next());
                assertEquals(lines.get(1), read.next());
                if (taken && buffer == payload.length) {
                    in.take();
                } else {
                    in.skip(1);
                }
                UncheckedIOException e = assertThrows(UncheckedIOException.class, read::next);
                MalformedDataException told = assertInstanceOf(MalformedDataException.class, e.getCause());
                assertTrue(told.reason().contains("in the middle of a group"), told.reason());
                assertTrue(!read.hasNext());
            }
        }
    }

    @Test
    void smallArraysAreTheBytesThatForyWrites() throws IOException {
        Blobs blobs = Blobs.of(1_000);
        ByteBuffer payload = ByteBuffer.wrap(
                        Payloads.encode(codecs(Way.COMPILED).value(Blobs.class), blobs, 64))
                .order(ByteOrder.LITTLE_ENDIAN);
        byte[] element = new byte[payload.getInt()];
        payload.get(element);
        assertArrayEquals(Way.COMPILED.fory().serialize(blobs), element);
    }

    /** Regions whose bodies by reference are kept as they came. */
    private static final class Referred implements WireOutput.Next {
        private final List<ByteBuffer> bodies = new ArrayList<>();

        @Override
        public ByteBuf next(@Nullable ByteBuf written) {
            return Unpooled.wrappedBuffer(new byte[64 << 10]).clear();
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
            bodies.add(body);
            return next(written);
        }

        @Override
        public boolean takesByReference(int length) {
            return length >= 32 << 10;
        }
    }

    @Test
    @SuppressWarnings("ByteBufferBackingArray") // whose it is, not what is in it
    void bigBytesGoByReferenceAndOtherBigArraysThroughNoScratch() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        byte[] bytes = new byte[1 << 20];
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        Blobs blobs = Blobs.of(10_000);
        blobs.bytes = bytes;
        blobs.buffer = buffer;
        Referred referred = new Referred();
        codecs.each(Blobs.class).encode(List.of(blobs).iterator(), new WireOutput(referred, 0));
        assertEquals(2, referred.bodies.size());
        assertTrue(referred.bodies.stream().anyMatch(body -> body.array() == bytes));
        assertTrue(referred.bodies.stream().anyMatch(body -> body.array() == buffer.array()));
        assertEquals(0, codecs.copiedBytes());
        assertEquals(0, codecs.peakScratchBytes());
    }

    @Test
    void elementsAreWrittenInTheChunkAndHardlyAnyIsCopied() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        long payload = encodeAll(each, ForySamples.lines(2_000), 1 << 20).length;
        assertEquals(0, codecs.copiedBytes());
        for (int region : new int[] {4 << 10, 64 << 10}) {
            encodeAll(each, ForySamples.lines(2_000), region);
            long copied = codecs.copiedBytes();
            audit.figure(copied + " of " + payload + " bytes copied, in chunks of " + region);
            assertTrue(copied < payload / 100, copied + " of " + payload);
        }
    }

    @Test
    void anElementThroughScratchIsCopiedOnceAndBigScratchIsNotKept() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        String big = "x".repeat(3 << 20);
        byte[] payload = encodeAll(codecs.each(String.class), List.of(big), 64 << 10);
        assertEquals(payload.length - 4, codecs.copiedBytes());
        assertTrue(codecs.peakScratchBytes() >= big.length(), () -> "peak " + codecs.peakScratchBytes());
        assertEquals(0, codecs.scratchBytes());
        assertEquals(List.of(big), decodeAll(codecs.each(String.class), payload, 64 << 10));
        assertEquals(0, codecs.scratchBytes());
    }

    @Test
    void nullIsAnElementLikeAnyOther() throws IOException {
        ValueCodec<Iterator<String>> each = codecs(Way.COMPILED).each(String.class);
        List<String> texts = Arrays.asList("a", null, "", null);
        assertEquals(texts, decodeAll(each, encodeAll(each, texts, 64), 1));
        ValueCodec<String> value = codecs(Way.COMPILED).value(String.class);
        assertNull(Payloads.decode(value, Payloads.encode(value, null, 64), 3));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MANY_LANGUAGES") // Fory does not read what it writes of one
    void aByteBufferThatWasReadRefersToNoChunk(Way way) throws IOException {
        for (boolean unregistered : new boolean[] {false, true}) {
            ForyCodecs codecs = unregistered
                    ? ForyCodecs.builder(() -> Fory.builder()
                                    .withXlang(false)
                                    .requireClassRegistration(false)
                                    .suppressClassRegistrationWarnings(true)
                                    .build())
                            .allowUnregistered()
                            .build()
                    : codecs(way);
            @SuppressWarnings("rawtypes")
            ValueCodec<Iterator<ArrayList>> each = codecs.each(ArrayList.class);
            ByteBuffer written = ByteBuffer.wrap(new byte[] {1, 2, 3});
            ArrayList<Object> list = new ArrayList<>(List.of(written, "text"));
            byte[] payload = encodeAll(each, List.of(list), 64);
            byte[] region = payload.clone();
            WireInput in = new WireInput(
                    drained -> drained == null ? Unpooled.wrappedBuffer(region) : null, DecoderLimits.DEFAULT, ID);
            List<?> read = each.decode(in).next();
            Arrays.fill(region, (byte) 0);
            assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3}), read.get(0));
            assertEquals("text", read.get(1));
        }
    }

    @Test
    void streamsIterablesAndConsumedListsAreMadeOfElements() throws IOException {
        ValueCodec<Iterator<Line>> each = codecs(Way.COMPILED).each(Line.class);
        List<Line> lines = ForySamples.lines(30);
        byte[] payload = encodeAll(each, lines, 100);
        assertEquals(lines, decodeAll(each, Payloads.encode(Codecs.streamOf(each), lines.stream(), 1_000), 7));
        assertEquals(lines, decodeAll(each, Payloads.encode(Codecs.iterableOf(each), lines, 1_000), 7));
        List<Line> consumed = new ArrayList<>(lines);
        assertEquals(lines, decodeAll(each, Payloads.encode(Codecs.consumedListOf(each), consumed, 1_000), 7));
        assertTrue(consumed.stream().allMatch(line -> line == null));
        assertEquals(lines, Payloads.decode(Codecs.consumedListOf(each), payload, 7));
        try (Stream<Line> stream = Codecs.streamOf(each).decode(Payloads.input(payload, 7, DecoderLimits.DEFAULT))) {
            assertEquals(lines, stream.toList());
        }
    }

    private MemorySink sent(ChunkPool pool, ValueCodec<Iterator<Line>> each, List<Line> lines) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        ResultEncoder.builder(pool).build().encode(ID, each, lines.iterator(), sink);
        return sink;
    }

    @Test
    void aResultSaysWhoseCodecItIsAndIsReadByNoOther() throws IOException {
        ChunkPool pool = audit.pool(ChunkPool.builder().chunkBytes(512));
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        List<Line> lines = ForySamples.lines(100);
        MemorySink sink = sent(pool, each, lines);
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            assertEquals("fory-each/1", reader.codecId());
            assertThrows(ResultException.class, () -> reader.decode(codecs.value(Line.class)));
            assertEquals(lines, ForySamples.drained(reader.decode(each)));
            reader.finish();
        }
        audit.requireWhole();
    }

    @Test
    void aResultOfBigArraysGoesThroughFrames() throws IOException {
        ChunkPool pool = audit.pool(ChunkPool.builder());
        ValueCodec<Blobs> value = codecs(Way.COMPILED).value(Blobs.class);
        Blobs blobs = Blobs.of(300_000);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
        ResultEncoder.builder(pool).build().encode(ID, value, blobs, sink);
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            assertEquals(blobs, reader.decode(value));
            reader.finish();
        }
        audit.requireWhole();
    }

    @Test
    void aForyThatTakesAnyClassIsRefusedUnlessAllowed() throws IOException {
        ForyCodecs.Builder builder = ForyCodecs.builder(() -> Fory.builder()
                .withXlang(false)
                .requireClassRegistration(false)
                .suppressClassRegistrationWarnings(true)
                .build());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, builder::build);
        assertTrue(String.valueOf(e.getMessage()).contains("allowUnregistered"), e.getMessage());
        ValueCodec<Unknown> value = builder.allowUnregistered().build().value(Unknown.class);
        assertEquals(new Unknown(3), Payloads.decode(value, Payloads.encode(value, new Unknown(3), 64), 1));
    }

    @Test
    void aForyThatWasUsedIsRefused() {
        Fory used = Way.COMPILED.fory();
        used.serialize("used");
        assertThrows(IllegalArgumentException.class, () -> ForyCodecs.of(() -> used));
    }

    private static <E> ResultException refused(ValueCodec<Iterator<E>> each, List<E> elements) {
        return assertThrows(ResultException.class, () -> {
            try (ChunkPool pool = ChunkPool.builder().build()) {
                MemorySink sink = new MemorySink(FrameBatch.Purpose.CONNECTION);
                ResultEncoder.builder(pool).build().encode(ID, each, elements.iterator(), sink);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void whatForyRefusesIsToldWithItsPlaceAndHarmsNoOtherResult(Way way) throws IOException {
        ForyCodecs codecs = ForyCodecs.builder(way::fory).elementLimit(1 << 20).build();
        ValueCodec<Iterator<Object>> each = codecs.each(Object.class);
        ValueCodec<Iterator<Line>> lines = codecs.each(Line.class);
        byte[] good = encodeAll(lines, ForySamples.lines(9), 100);
        for (int round = 0; round < 3; round++) {
            ResultException e = refused(each, List.of("a", new Unknown(1)));
            assertInstanceOf(MalformedDataException.class, e);
            assertTrue(e.reason().startsWith("[1]: "), e.reason());
            assertEquals(ID, e.resultId());
            assertEquals(ForySamples.lines(9), decodeAll(lines, encodeAll(lines, ForySamples.lines(9), 100), 64));

            Node deep = new Node();
            for (int i = 0; i < 200_000; i++) {
                Node outer = new Node();
                outer.next = deep;
                deep = outer;
            }
            e = refused(each, List.of(deep));
            assertEquals("[0]: nested too deep for the stack", e.reason());
            assertEquals(ForySamples.lines(9), decodeAll(lines, encodeAll(lines, ForySamples.lines(9), 100), 64));

            e = refused(each, List.of("x".repeat((1 << 20) + 1)));
            assertInstanceOf(ResultTooLargeException.class, e);
            assertEquals(1 << 20, ((ResultTooLargeException) e).limit());
            assertEquals(ForySamples.lines(9), decodeAll(lines, encodeAll(lines, ForySamples.lines(9), 100), 64));
            assertEquals(ForySamples.lines(9), decodeAll(lines, good, 7));
        }
        assertTrue(codecs.scratchBytes() <= 1 << 20, () -> codecs.scratchBytes() + " held");
    }

    @Test
    void aForyIsKeptForTheNextResultUnlessItThrew() throws IOException {
        AtomicInteger made = new AtomicInteger();
        ForyCodecs codecs = ForyCodecs.of(() -> {
            made.incrementAndGet();
            return Way.COMPILED.fory();
        });
        ValueCodec<Iterator<Object>> each = codecs.each(Object.class);
        byte[] payload = encodeAll(each, List.of("a", "b"), 1_000);
        assertEquals(List.of("a", "b"), decodeAll(each, payload, 1));
        assertEquals(1, made.get());
        refused(each, List.of(new Unknown(1)));
        assertEquals(List.of("a", "b"), decodeAll(each, payload, 1));
        assertEquals(2, made.get());
        payload[(payload.length + Integer.BYTES) / 2] = 99; // the second's first byte, flags of Fory's
        assertThrows(UncheckedIOException.class, () -> decodeAll(each, payload, 1));
        encodeAll(each, List.of("a", "b"), 64);
        assertEquals(3, made.get());
        // Cut between two elements, Fory has nothing to do with it.
        byte[] cut = Arrays.copyOf(encodeAll(each, List.of("a", "b"), 64), 10);
        assertThrows(UncheckedIOException.class, () -> decodeAll(each, cut, 1));
        encodeAll(each, List.of("a", "b"), 64);
        assertEquals(3, made.get());
    }

    @Test
    void anotherClassThanAskedForIsMalformed() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        byte[] payload = encodeAll(codecs.each(Object.class), List.of(ForySamples.line(1), "text"), 64);
        Iterator<Line> lines = codecs.each(Line.class).decode(Payloads.input(payload, 1_000, DecoderLimits.DEFAULT));
        assertEquals(ForySamples.line(1), lines.next());
        UncheckedIOException e = assertThrows(UncheckedIOException.class, lines::next);
        MalformedDataException told = assertInstanceOf(MalformedDataException.class, e.getCause());
        assertTrue(told.reason().contains("java.lang.String where"), told.reason());
        assertEquals(payload.length, told.offset());
        assertTrue(!lines.hasNext());
    }

    @Test
    void whatASinkOrASourceThrowsComesOutAsItWas() throws IOException {
        ForyCodecs codecs = codecs(Way.COMPILED);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        byte[] payload = encodeAll(each, ForySamples.lines(9), 100);
        for (Exception thrown : new Exception[] {new IOException("a"), new IllegalStateException("b")}) {
            WireOutput.Next failing = new WireOutput.Next() {
                private int regions;

                @Override
                public ByteBuf next(@Nullable ByteBuf written) throws IOException {
                    if (regions++ == 2) {
                        if (thrown instanceof IOException e) {
                            throw e;
                        }
                        throw (RuntimeException) thrown;
                    }
                    return Unpooled.wrappedBuffer(new byte[100]).clear();
                }

                @Override
                public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner)
                        throws IOException {
                    return next(written);
                }

                @Override
                public boolean takesByReference(int length) {
                    return false;
                }
            };
            Exception out = assertThrows(
                    Exception.class,
                    () -> each.encode(ForySamples.lines(9).iterator(), new WireOutput(failing, 0, ID)));
            assertSame(thrown, out);
            WireInput in = new WireInput(
                    new WireInput.Source() {
                        private boolean given;

                        @Override
                        public ByteBuf next(@Nullable ByteBuf drained) throws IOException {
                            if (given) {
                                if (thrown instanceof IOException e) {
                                    throw e;
                                }
                                throw (RuntimeException) thrown;
                            }
                            given = true;
                            return Unpooled.wrappedBuffer(Arrays.copyOf(payload, 70));
                        }
                    },
                    DecoderLimits.DEFAULT,
                    ID);
            Exception read = assertThrows(Exception.class, () -> each.decode(in).forEachRemaining(line -> {}));
            assertSame(thrown, read instanceof UncheckedIOException e ? e.getCause() : read);
            assertEquals(ForySamples.lines(9), decodeAll(each, encodeAll(each, ForySamples.lines(9), 100), 64));
        }
        Iterator<Line> broken = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Line next() {
                throw new IllegalStateException("c");
            }
        };
        assertEquals(
                "[0]: java.lang.IllegalStateException: c",
                assertThrows(MalformedDataException.class, () -> Payloads.encode(each, broken, 100))
                        .reason(),
                "a failure of what gives the elements is the value's");
    }

    @Test
    void manyThreadsEachHaveAForyToThemselves() throws Exception {
        ForyCodecs codecs = ForyCodecs.builder(Way.REFERENCES::fory).kept(2).build();
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        List<Line> lines = ForySamples.lines(200);
        byte[] payload = encodeAll(each, lines, 100);
        ExecutorService threads = audit.executor();
        List<Future<?>> rounds = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int region = 100 + i;
            rounds.add(threads.submit(() -> {
                for (int round = 0; round < 20; round++) {
                    assertEquals(lines, decodeAll(each, encodeAll(each, lines, region), 1_000));
                    assertEquals(lines, decodeAll(each, payload, region));
                }
                return null;
            }));
        }
        for (Future<?> round : rounds) {
            round.get(50, TimeUnit.SECONDS);
        }
    }

    @Test
    void anAllocatorOfTheCallersBoundsHowAnElementGrows() throws IOException {
        org.apache.fory.memory.MemoryAllocator usual = MemoryBuffer.getGlobalAllocator();
        ValueCodec<Iterator<String>> each = codecs(Way.COMPILED).each(String.class);
        byte[] small = encodeAll(each, List.of("a"), 64);
        MemoryBuffer.setGlobalAllocator(new org.apache.fory.memory.MemoryAllocator() {
            @Override
            public MemoryBuffer allocate(int initialCapacity) {
                return usual.allocate(initialCapacity);
            }

            @Override
            public void grow(MemoryBuffer buffer, int newCapacity) {
                if (newCapacity > 1 << 20) {
                    throw new IllegalStateException("more than 1 MiB");
                }
                usual.grow(buffer, newCapacity);
            }
        });
        try {
            ResultException e = refused(each, List.of("x".repeat(2 << 20)));
            assertTrue(e.reason().contains("more than 1 MiB"), e.reason());
        } finally {
            MemoryBuffer.setGlobalAllocator(usual);
        }
        assertArrayEquals(small, encodeAll(each, List.of("a"), 64));
    }
}
