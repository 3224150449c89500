// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Payloads;
import io.tailrace.codec.fory.ForySamples.Blobs;
import io.tailrace.codec.fory.ForySamples.Line;
import io.tailrace.codec.fory.ForySamples.Node;
import io.tailrace.codec.fory.ForySamples.Way;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultWriter;
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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Payloads of Fory's that are cut, flipped or lie: a value or one of our exceptions, with little memory taken. */
class ForyHostileTest {

    private static final ResultId ID = new ResultId("job", 1, 2, 0);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What may be taken ahead, Fory's 8,192 items that nothing stands behind, and a new Fory after a failure. */
    private static final long MOST_TAKEN = 4 << 20;

    @BeforeAll
    static void begin() {
        ForySamples.begin();
    }

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private interface Reading {
        void from(WireInput in) throws IOException;
    }

    private record Subject(Reading reading, List<Object> payload) {
        byte[] bytes() {
            return ((byte[]) payload.get(0)).clone();
        }
    }

    private static void all(Iterator<?> elements) throws IOException {
        try {
            elements.forEachRemaining(element -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static <E> Subject each(ForyCodecs codecs, Class<E> type, List<E> elements) throws IOException {
        ValueCodec<Iterator<E>> each = codecs.each(type);
        return new Subject(in -> all(each.decode(in)), List.of(Payloads.encode(each, elements.iterator(), 1 << 20)));
    }

    private static List<Subject> subjects(Way way) throws IOException {
        ForyCodecs codecs = ForyCodecs.of(way::fory);
        List<Subject> subjects = new ArrayList<>();
        subjects.add(each(codecs, Line.class, List.of(ForySamples.line(7), ForySamples.line(3))));
        Map<Object, Object> map = new LinkedHashMap<>(Map.of("k", List.of(1L, 2L)));
        subjects.add(each(codecs, Object.class, List.of("text", 5L, new ArrayList<>(List.of("a", "b")), map)));
        ValueCodec<Object> value = codecs.value(Object.class);
        subjects.add(new Subject(value::decode, List.of(Payloads.encode(value, new ArrayList<>(List.of(map)), 64))));
        if (way != Way.MANY_LANGUAGES) { // where null and char[] may not be
            Node node = new Node();
            node.name = "node";
            node.next = new Node();
            node.more.add(node.next);
            subjects.add(each(codecs, Node.class, List.of(node)));
            Blobs blobs = Blobs.of(3);
            subjects.add(each(codecs, Blobs.class, List.of(blobs)));
        }
        return subjects;
    }

    /** Nothing but a value or one of ours; returns which. */
    private static boolean refused(Subject subject, byte[] payload, int buffer) throws IOException {
        try {
            subject.reading().from(Payloads.input(payload, buffer, DecoderLimits.DEFAULT));
            return false;
        } catch (ResultException e) {
            assertTrue(e instanceof MalformedDataException || e instanceof ResultTooLargeException, e.toString());
            assertTrue(e.offset() >= 0 && e.offset() <= payload.length, e.getMessage());
            return true;
        }
    }

    private static void requireLittle(Subject subject, byte[] payload, int buffer) throws IOException {
        long taken = 0;
        for (int i = 0; i < 3; i++) { // a class may have been loaded, or written
            long before = THREADS.getCurrentThreadAllocatedBytes();
            refused(subject, payload, buffer);
            taken = THREADS.getCurrentThreadAllocatedBytes() - before;
            if (taken <= MOST_TAKEN) {
                return;
            }
        }
        assertTrue(taken <= MOST_TAKEN, taken + " bytes for a payload of " + payload.length);
    }

    private static byte[] flipped(byte[] payload, int bit) {
        byte[] flipped = payload.clone();
        flipped[bit >>> 3] ^= (byte) (1 << (bit & 7));
        return flipped;
    }

    @ParameterizedTest
    @EnumSource
    void everyTruncationInsideAnElementIsSeen(Way way) throws IOException {
        long cases = 0;
        for (Subject subject : subjects(way)) {
            byte[] payload = subject.bytes();
            List<Integer> ends = new ArrayList<>(List.of(0));
            ByteBuffer heads = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
            while (ends.get(ends.size() - 1) < payload.length) {
                int at = ends.get(ends.size() - 1);
                ends.add(at + 4 + heads.getInt(at));
            }
            for (int buffer : new int[] {1, payload.length}) {
                for (int length = 1; length < payload.length; length++) {
                    boolean refused = refused(subject, Arrays.copyOf(payload, length), buffer);
                    assertTrue(refused || ends.contains(length), "cut to " + length);
                    cases++;
                }
            }
        }
        audit.cases(cases);
    }

    @ParameterizedTest
    @EnumSource
    void everyFlippedBitGivesAValueOrOneOfOursAndTakesLittleMemory(Way way) throws IOException {
        long cases = 0;
        for (Subject subject : subjects(way)) {
            byte[] payload = subject.bytes();
            for (int bit = 0; bit < 8 * payload.length; bit += LeakAudit.FULL ? 1 : 2) {
                requireLittle(subject, flipped(payload, bit), bit % 3 == 0 ? 1 : payload.length);
                cases++;
            }
        }
        audit.cases(cases);
    }

    /** 2³¹ − 1 and what is near it, as Fory's varints and as ours. */
    private static final int[][] LIES = {
        {0xFF, 0xFF, 0xFF, 0xFF, 0x07},
        {0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
        {0x80, 0x80, 0x80, 0x20},
        {0xFF, 0xFF, 0xFF, 0x7F},
        {0xFF, 0xFF, 0xFF, 0xFF},
    };

    @ParameterizedTest
    @EnumSource
    void aLengthThatLiesAnywhereTakesLittleMemory(Way way) throws IOException {
        long cases = 0;
        for (Subject subject : subjects(way)) {
            byte[] payload = subject.bytes();
            for (int[] lie : LIES) {
                for (int at = 0; at + lie.length < payload.length; at++) {
                    byte[] lying = payload.clone();
                    for (int i = 0; i < lie.length; i++) {
                        lying[at + i] = (byte) lie[i];
                    }
                    requireLittle(subject, lying, at % 2 == 0 ? 2 : lying.length);
                    cases++;
                }
            }
        }
        audit.cases(cases);
    }

    private static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    private static byte[] joined(byte[]... parts) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void headsThatLieAreRefusedBeforeMemoryIsTaken() throws IOException {
        ForyCodecs codecs = ForyCodecs.of(Way.COMPILED::fory);
        ValueCodec<Iterator<Blobs>> each = codecs.each(Blobs.class);
        Subject subject = new Subject(in -> all(each.decode(in)), List.of());
        byte[] element = Payloads.encode(each, List.of(Blobs.of(10_000)).iterator(), 1 << 20);
        int length = ByteBuffer.wrap(element).order(ByteOrder.LITTLE_ENDIAN).getInt() & Integer.MAX_VALUE;
        byte[] begin = Arrays.copyOf(element, 4 + length);
        byte[] plain = Payloads.encode(codecs.each(String.class), List.of("abc").iterator(), 64);
        List<byte[]> hostile = List.of(
                ints(0),
                ints(Integer.MAX_VALUE, 1, 2),
                ints(-1, 1, 2),
                ints(Integer.MIN_VALUE),
                joined(begin, ints(0)),
                joined(begin, ints(-1)),
                joined(begin, ints(Integer.MAX_VALUE)),
                joined(begin, ints(Integer.MAX_VALUE, Integer.MAX_VALUE)),
                joined(begin, ints(9, -1)),
                joined(begin, ints(1 << 30, 1 << 30)),
                joined(ints(0x8000_0000 | (plain.length - 4)), Arrays.copyOfRange(plain, 4, plain.length), ints(1, 0)),
                joined(ints(plain.length - 3), Arrays.copyOfRange(plain, 4, plain.length), ints(0)));
        for (byte[] payload : hostile) {
            for (int buffer : new int[] {1, 5, 1 << 20}) {
                assertTrue(refused(subject, payload, buffer));
                requireLittle(subject, payload, buffer);
            }
        }
        byte[] more = joined(element, ints(0));
        more[4 + length] = 10; // a buffer that nobody asks for
        assertTrue(refused(subject, more, 1 << 20));
        assertTrue(codecs.scratchBytes() <= 1 << 10, codecs.scratchBytes() + " bytes kept"); // a new Fory after each
    }

    private static byte[] group(byte[]... elements) {
        byte[] all = joined(elements);
        return joined(ints(all.length), all);
    }

    @Test
    void aGroupEndsWithAnElementAndOnlyAnOnlyOneHasBuffers() throws IOException {
        ForyCodecs codecs = ForyCodecs.of(Way.COMPILED::fory);
        ValueCodec<Iterator<String>> each = codecs.each(String.class);
        ValueCodec<String> value = codecs.value(String.class);
        Subject subject = new Subject(in -> all(each.decode(in)), List.of());
        Subject whole = new Subject(value::decode, List.of());
        byte[] one = Way.COMPILED.fory().serialize("one");
        byte[] two = Way.COMPILED.fory().serialize("two");
        byte[] flagged = two.clone();
        flagged[0] |= 2; // buffers may follow, Fory says
        byte[] good = joined(group(one, two), group(two));
        for (int buffer : new int[] {1, 5, good.length - 1, good.length}) {
            assertEquals(
                    List.of("one", "two", "two"),
                    ForySamples.drained(each.decode(Payloads.input(good, buffer, DecoderLimits.DEFAULT))));
            assertFalse(refused(subject, group(flagged, one), buffer));
            assertFalse(refused(whole, group(one), buffer));
            assertTrue(refused(whole, group(one, two), buffer), "two elements are no one value");
            byte[] both = joined(one, two);
            for (int length = 0; length <= both.length + 1; length++) {
                byte[] lying = joined(ints(length), both);
                assertEquals(length != both.length, refused(subject, lying, buffer), "group of " + length);
            }
            byte[] behind = joined(ints(0x8000_0000 | both.length), both, ints(0));
            assertTrue(refused(subject, behind, buffer));
            assertTrue(refused(subject, joined(ints(0x8000_0000 | one.length), one, ints(1, 0)), buffer));
            assertTrue(refused(subject, joined(ints(0x8000_0000 | two.length), flagged, ints(1, 0)), buffer));
            assertTrue(refused(subject, group(one, flagged), buffer));
        }
    }

    @Test
    void manyElementsMayBeOneGroupWhateverOneMayTake() throws IOException {
        ForyCodecs codecs = ForyCodecs.of(Way.COMPILED::fory);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        List<Line> lines = ForySamples.lines(1_000);
        byte[] payload = Payloads.encode(each, lines.iterator(), 1 << 20);
        assertEquals(
                payload.length - 4,
                ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).getInt());
        DecoderLimits limits = DecoderLimits.DEFAULT.withValueBytes(500);
        for (int buffer : new int[] {1, 1_000, payload.length}) {
            assertEquals(lines, ForySamples.drained(each.decode(Payloads.input(payload, buffer, limits))));
            DecoderLimits none = limits.withValueBytes(20);
            assertThrows(ResultTooLargeException.class, () -> all(each.decode(Payloads.input(payload, buffer, none))));
        }
        DecoderLimits little = limits.withPayloadBytes(payload.length - 1);
        assertThrows(ResultTooLargeException.class, () -> all(each.decode(Payloads.input(payload, 1_000, little))));
        Subject subject = new Subject(in -> all(each.decode(in)), List.of());
        for (int length : new int[] {GroupReader.GATHERED_BYTES, GroupReader.GATHERED_BYTES + 1, 1 << 30}) {
            requireLittle(subject, joined(ints(length), payload), 1_000);
        }
        assertTrue(codecs.scratchBytes() <= GroupReader.GATHERED_BYTES, codecs.scratchBytes() + " bytes kept");
    }

    @Test
    void theLimitOfAValueHoldsForAnElementAndWhatIsBehindIt() throws IOException {
        ValueCodec<Iterator<Blobs>> each = ForyCodecs.of(Way.COMPILED::fory).each(Blobs.class);
        byte[] element = Payloads.encode(each, List.of(Blobs.of(10_000)).iterator(), 1 << 20);
        DecoderLimits limits = DecoderLimits.DEFAULT.withValueBytes(element.length - 5_000);
        for (int buffer : new int[] {100, 1 << 20}) {
            assertThrows(
                    ResultTooLargeException.class, () -> all(each.decode(Payloads.input(element, buffer, limits))));
        }
        DecoderLimits payload = DecoderLimits.DEFAULT.withPayloadBytes(element.length / 2);
        assertThrows(ResultTooLargeException.class, () -> all(each.decode(Payloads.input(element, 100, payload))));
        ValueCodec<Iterator<String>> texts = ForyCodecs.of(Way.COMPILED::fory).each(String.class);
        byte[] text = Payloads.encode(texts, List.of("x".repeat(100)).iterator(), 1 << 20);
        assertThrows(
                ResultTooLargeException.class,
                () -> all(texts.decode(Payloads.input(text, 1 << 20, DecoderLimits.DEFAULT.withValueBytes(50)))));
    }

    @Test
    void whatIsNestedDeeperThanForyAllowsIsMalformed() throws IOException {
        Node deep = new Node();
        for (int i = 0; i < 500; i++) {
            Node outer = new Node();
            outer.next = deep;
            deep = outer;
        }
        for (Way way : new Way[] {Way.COMPILED, Way.INTERPRETED, Way.REFERENCES}) {
            Subject subject = each(ForyCodecs.of(way::fory), Node.class, List.of(deep));
            assertTrue(refused(subject, subject.bytes(), 1 << 20));
            assertTrue(refused(subject, subject.bytes(), 10));
        }
    }

    private static void throughFrames(ChunkPool pool, Subject subject, byte[] payload) throws IOException {
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        try (ResultWriter writer = ResultEncoder.builder(pool).build().open(ID, "", sink)) {
            writer.payload().writeBytes(payload, 0, payload.length);
            writer.finish();
        }
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            assertTrue(reader.nextResult());
            try {
                subject.reading().from(reader.payload());
            } catch (ResultException e) {
                assertEquals(ID, e.resultId(), e.toString());
            }
            reader.finish(); // the frames were in order: only the value was not
        }
    }

    @ParameterizedTest
    @EnumSource
    void noChunkIsKeptAndTheResultIsToldWhateverComes(Way way) throws IOException {
        ChunkPool pool = audit.pool(ChunkPool.builder().chunkBytes(512));
        long cases = 0;
        for (Subject subject : subjects(way)) {
            byte[] payload = subject.bytes();
            for (int length = 0; length < payload.length; length++) {
                throughFrames(pool, subject, Arrays.copyOf(payload, length));
                cases++;
            }
            for (int bit = 0; bit < 8 * payload.length; bit += 3) {
                throughFrames(pool, subject, flipped(payload, bit));
                cases++;
            }
        }
        audit.requireWhole();
        audit.cases(cases);
    }

    @ParameterizedTest
    @EnumSource
    void theNextResultIsUnharmedByOneThatFailed(Way way) throws IOException {
        ForyCodecs codecs = ForyCodecs.of(way::fory);
        ValueCodec<Iterator<Line>> each = codecs.each(Line.class);
        List<Line> lines = ForySamples.lines(20);
        byte[] payload = Payloads.encode(each, lines.iterator(), 1_000);
        Subject subject = new Subject(in -> all(each.decode(in)), List.of());
        for (int at = 4; at < 200; at += 3) {
            byte[] broken = payload.clone();
            broken[at] ^= 0x55;
            refused(subject, broken, at);
            assertEquals(lines, ForySamples.drained(each.decode(Payloads.input(payload, at, DecoderLimits.DEFAULT))));
        }
    }
}
