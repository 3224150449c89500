// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.google.protobuf.ListValue;
import com.google.protobuf.Value;
import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectInputStream;
import java.io.ObjectOutput;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Serializers that know nothing of us, on the views of a payload. */
class SerializersTest {

    private static final ResultId ID = new ResultId("own", 1, 2, 0);
    private static final int COUNT = 3_000;
    private static final ObjectMapper JACKSON = new ObjectMapper();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    record Point(int x, double y, String name) {}

    private static Point point(int i) {
        return new Point(i, i / 2.0, "point ü " + i);
    }

    private static List<Point> points() {
        return IntStream.range(0, COUNT).mapToObj(SerializersTest::point).toList();
    }

    private static final ValueCodec<JsonNode> JSON = Serializers.value(
            "json/1",
            (node, out) -> JACKSON.writeValue(out.asOutputStream(), node),
            in -> JACKSON.readTree(in.asInputStream()));

    private static final ValueCodec<Iterator<Value>> PROTOBUF = Serializers.each(
            "protobuf/1",
            (value, out) -> value.writeDelimitedTo(out.asOutputStream()),
            in -> Value.parseDelimitedFrom(in.asInputStream()));

    private static final ValueCodec<Iterator<Point>> DATA = Serializers.each(
            "points/1",
            (point, out) -> {
                DataOutputStream data = new DataOutputStream(out.asOutputStream());
                data.writeInt(point.x());
                data.writeDouble(point.y());
                data.writeUTF(point.name());
            },
            in -> {
                DataInputStream data = new DataInputStream(in.asInputStream());
                return new Point(data.readInt(), data.readDouble(), data.readUTF());
            });

    private static final ValueCodec<ByteBuffer> CHANNEL = Serializers.value(
            "bytes/1",
            (bytes, out) -> {
                out.writeInt(bytes.remaining());
                out.asChannel().write(bytes.duplicate());
            },
            in -> {
                ByteBuffer bytes = ByteBuffer.wrap(new byte[in.readInt()]);
                ReadableByteChannel channel = in.asChannel();
                while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                    // reads as much as has arrived
                }
                return bytes.flip();
            });

    /** Writes itself to any {@link ObjectOutput}, as an engine's envelope of a task's result does. */
    public static final class Envelope implements Externalizable {
        private static final long serialVersionUID = 1;

        private transient List<Point> points = List.of(); // written by hand

        @Override
        public void writeExternal(ObjectOutput out) throws IOException {
            out.writeInt(points.size());
            for (Point point : points) {
                out.writeInt(point.x());
                out.writeDouble(point.y());
                out.writeUTF(point.name());
            }
        }

        @Override
        public void readExternal(ObjectInput in) throws IOException {
            List<Point> read = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                read.add(new Point(in.readInt(), in.readDouble(), in.readUTF()));
            }
            points = read;
        }
    }

    private static final ValueCodec<Envelope> ENVELOPE = Serializers.value(
            "envelope/1",
            (envelope, out) -> {
                ObjectOutputStream objects = new ObjectOutputStream(out.asOutputStream());
                envelope.writeExternal(objects);
                objects.flush();
            },
            in -> {
                Envelope envelope = new Envelope();
                envelope.readExternal(new ObjectInputStream(in.asInputStream()));
                return envelope;
            });

    private static JsonNode json() {
        ArrayNode array = JACKSON.createArrayNode();
        points().forEach(point ->
                array.addObject().put("x", point.x()).put("y", point.y()).put("name", point.name()));
        return array;
    }

    private static List<Value> messages() {
        return points().stream()
                .map(point -> Value.newBuilder()
                        .setListValue(ListValue.newBuilder()
                                .addValues(Value.newBuilder().setNumberValue(point.y()))
                                .addValues(Value.newBuilder().setStringValue(point.name())))
                        .build())
                .toList();
    }

    private static <E> List<E> all(Iterator<E> elements) {
        List<E> list = new ArrayList<>();
        elements.forEachRemaining(list::add);
        return list;
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 101, 4_096, 65_536})
    void theyWriteAndReadThroughRegionsOfAnySize(int region) throws IOException {
        assertEquals(json(), Payloads.decode(JSON, Payloads.encode(JSON, json(), region), region));
        byte[] messages = Payloads.encode(PROTOBUF, messages().iterator(), region);
        byte[] data = Payloads.encode(DATA, points().iterator(), region);
        Envelope envelope = new Envelope();
        envelope.points = points();
        byte[] external = Payloads.encode(ENVELOPE, envelope, region);
        ByteBuffer bytes = ByteBuffer.wrap(messages);
        byte[] channel = Payloads.encode(CHANNEL, bytes, region);
        for (int buffer : new int[] {1, 7, region}) {
            assertEquals(messages(), all(Payloads.decodeEach(PROTOBUF, messages, buffer)));
            assertEquals(points(), all(Payloads.decodeEach(DATA, data, buffer)));
            assertEquals(points(), Payloads.decode(ENVELOPE, external, buffer).points);
            assertEquals(bytes, Payloads.decode(CHANNEL, channel, buffer));
        }
    }

    @Test
    void elementsArriveOneByOneAndFreeTheirSource() throws IOException {
        ChunkPool pool = audit.pool(4_096, 32 * 4_096);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        List<Point> source = new ArrayList<>(points());
        ResultEncoder.builder(pool).build().encode(ID, Codecs.consumedListOf(DATA), source, sink);
        assertTrue(source.stream().allMatch(point -> point == null), "each slot is freed");
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            reader.nextResult();
            Iterator<Point> read = reader.decode(DATA);
            assertEquals(point(0), read.next());
            assertTrue(reader.payload().position() < 100, "no more than asked for is read");
            assertEquals(points().subList(1, COUNT), all(read));
            reader.finish();
        }
    }

    @Test
    void whatTheirReaderSaysIsToldWithOffsetAndResult() throws IOException {
        byte[] payload = Payloads.encode(JSON, json(), 4_096);
        payload[5_000] = 1;
        ChunkPool pool = audit.pool(4_096, 32 * 4_096);
        MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE);
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        encoder.encode(
                ID,
                Serializers.value("json/1", (bytes, out) -> out.writeBytes(bytes, 0, bytes.length), in -> null),
                payload,
                sink);
        encoder.encode(ID, DATA, points().iterator(), sink);
        try (ResultReader reader = ResultReader.builder(pool).open(sink.openChannel())) {
            reader.nextResult();
            MalformedDataException thrown = assertThrows(MalformedDataException.class, () -> reader.decode(JSON));
            assertInstanceOf(JsonParseException.class, thrown.getCause());
            assertEquals(ID, thrown.resultId());
            assertTrue(thrown.offset() >= 5_000, thrown.getMessage());
            reader.finish();
            reader.nextResult();
            assertEquals(points(), all(reader.decode(DATA)));
            reader.finish();
        }
    }

    @Test
    void cutInTheMiddleOfAnElementIsNotTheEnd() throws IOException {
        byte[] payload = Payloads.encode(DATA, points().subList(0, 3).iterator(), 64);
        Iterator<Point> read = Payloads.decodeEach(DATA, Arrays.copyOf(payload, payload.length - 1), 64);
        assertEquals(point(0), read.next());
        assertEquals(point(1), read.next());
        UncheckedIOException thrown = assertThrows(UncheckedIOException.class, read::next);
        MalformedDataException told = assertInstanceOf(MalformedDataException.class, thrown.getCause());
        assertTrue(told.reason().startsWith("[2]: "), told.getMessage());
        assertInstanceOf(EOFException.class, told.getCause());
        assertFalse(read.hasNext());
    }

    @Test
    void whatTheirWriterThrowsIsToldWithItsIndex() {
        ValueCodec<Iterator<String>> codec = Serializers.each(
                "fussy/1",
                (text, out) -> {
                    if (text.isEmpty()) {
                        throw new IllegalArgumentException("empty");
                    }
                    out.writeUtf8(text);
                },
                in -> in.readUtf8());
        MalformedDataException thrown = assertThrows(
                MalformedDataException.class,
                () -> Payloads.encode(codec, List.of("a", "").iterator(), 64));
        assertEquals("[1]: java.lang.IllegalArgumentException: empty", thrown.reason());
        assertEquals(2, thrown.offset());
    }

    @Test
    void elementOfNoBytesIsRefusedOnBothSides() throws IOException {
        ValueCodec<Iterator<String>> nothing = Serializers.each("nothing/1", (text, out) -> {}, in -> "");
        assertThrows(
                MalformedDataException.class,
                () -> Payloads.encode(nothing, List.of("a").iterator(), 64));
        Iterator<String> read = Payloads.decodeEach(nothing, new byte[1], 64);
        assertThrows(UncheckedIOException.class, read::next);
        assertFalse(Payloads.decodeEach(nothing, new byte[0], 64).hasNext());
        assertEquals(0, Payloads.encode(nothing, Collections.emptyIterator(), 64).length);
    }

    @Test
    void sinksOwnExceptionComesThroughAsItWas() {
        ChunkPool pool = audit.pool(512, 8 * 512);
        IOException full = new IOException("disk full");
        FrameSink sink = new FrameSink() {
            @Override
            public void write(FrameBatch batch) throws IOException {
                throw full;
            }

            @Override
            public void close() {}
        };
        ResultEncoder encoder = ResultEncoder.builder(pool).build();
        ResultFailedException thrown =
                assertThrows(ResultFailedException.class, () -> encoder.encode(ID, JSON, json(), sink));
        assertSame(full, thrown.getCause());
    }

    @Test
    void limitsComeThroughAsTheyWere() throws IOException {
        byte[] payload = Payloads.encode(JSON, json(), 4_096);
        ResultTooLargeException thrown = assertThrows(
                ResultTooLargeException.class,
                () -> Serializers.value("text/1", (text, out) -> {}, in -> in.readUtf8())
                        .decode(Payloads.input(payload, 64, DecoderLimits.DEFAULT.withValueBytes(10))));
        assertEquals(10, thrown.limit());
    }
}
