// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.flatbuffers.FlatBufferBuilder;
import com.sun.management.ThreadMXBean;
import io.tailrace.codec.Payloads;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.Int;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Type;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Streams that are nearly right: a value comes of them or one of our exceptions, little memory is taken, none is kept. */
class ArrowHostileTest {

    private static final long MOST_HEAP = (1 << 20) + (512 << 10);
    private static final long MOST_ARROW = 2 << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    /** All that it leads to, or how it failed. */
    private static ResultException read(byte[] stream, int buffer) throws IOException {
        return read(stream, buffer, DecoderLimits.DEFAULT, Long.MAX_VALUE);
    }

    private static ResultException read(byte[] stream, int buffer, DecoderLimits limits, long room) throws IOException {
        try (BufferAllocator allocator = new RootAllocator(room)) {
            WireInput in = Payloads.input(stream, buffer, limits);
            try (ArrowReader batches = ArrowCodecs.batches(allocator).decode(in)) {
                while (batches.loadNextBatch()) {
                    touch(batches);
                }
                return null;
            } catch (ResultException e) {
                assertTrue(e.offset() <= stream.length, e.toString());
                return e;
            } finally {
                assertTrue(
                        allocator.getPeakMemoryAllocation() <= MOST_ARROW + 4L * stream.length,
                        allocator.getPeakMemoryAllocation() + " bytes");
            }
        }
    }

    /** Whatever was let in can be read. */
    private static void touch(ArrowReader batches) throws IOException {
        VectorSchemaRoot root = batches.getVectorSchemaRoot();
        try (ArrowRecordBatch again = new VectorUnloader(root).getRecordBatch()) {
            assertTrue(again.computeBodyLength() >= 0);
        }
        for (FieldVector vector : root.getFieldVectors()) {
            for (int i = 0; i < Math.min(vector.getValueCount(), 200); i++) {
                if (!ofAnyBits(vector)) {
                    vector.getObject(i);
                }
            }
        }
    }

    /** Times and units beyond what Java's classes hold, and unions' marks, are their readers' business. */
    private static boolean ofAnyBits(FieldVector vector) {
        return switch (vector.getField().getType().getTypeID()) {
            case Int,
                    FloatingPoint,
                    Bool,
                    Utf8,
                    Binary,
                    LargeUtf8,
                    LargeBinary,
                    Utf8View,
                    BinaryView,
                    FixedSizeBinary -> false;
            default -> true;
        };
    }

    private static ResultException requireLittle(byte[] stream, int buffer) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        ResultException refused = read(stream, buffer);
        long taken = THREADS.getCurrentThreadAllocatedBytes() - before;
        if (taken > MOST_HEAP) { // a class may have been loaded
            before = THREADS.getCurrentThreadAllocatedBytes();
            refused = read(stream, buffer);
            taken = THREADS.getCurrentThreadAllocatedBytes() - before;
        }
        assertTrue(taken <= MOST_HEAP + 40L * stream.length, taken + " bytes");
        return refused;
    }

    private static byte[] stream(List<org.apache.arrow.vector.types.pojo.Field> fields, int rows) throws IOException {
        try (BufferAllocator allocator = new RootAllocator();
                VectorSchemaRoot root = VectorSchemaRoot.create(Batches.schema(fields), allocator)) {
            Random random = new Random(1);
            int[] batch = {0};
            return Batches.arrows(root, new DictionaryProvider.MapDictionaryProvider(), () -> {
                Batches.fill(root, rows, random);
                return batch[0]++ < 2;
            });
        }
    }

    private static List<org.apache.arrow.vector.types.pojo.Field> some() {
        List<org.apache.arrow.vector.types.pojo.Field> fields = new ArrayList<>(Batches.nested());
        Batches.plain().stream()
                .filter(field -> field.getName().startsWith("text")
                        || field.getName().startsWith("flag")
                        || field.getName().startsWith("large"))
                .forEach(fields::add);
        return fields;
    }

    @Test
    void eachPrefixEndsInsideAValue() throws IOException {
        byte[] stream = stream(some(), 9);
        for (int length = 0; length < stream.length; length++) {
            ResultException refused = requireLittle(Arrays.copyOf(stream, length), 1_000);
            assertTrue(refused instanceof MalformedDataException, length + ": " + refused);
            assertTrue(refused.getMessage().contains("ends inside"), refused.getMessage());
        }
        audit.cases(stream.length);
    }

    @Test
    void anyFlippedBitGivesAValueOrOneOfOurExceptions() throws IOException {
        int cases = 0;
        for (List<org.apache.arrow.vector.types.pojo.Field> fields : List.of(some(), Batches.plain())) {
            byte[] stream = stream(fields, 9);
            int step = LeakAudit.FULL ? 1 : 7;
            for (int bit = 0; bit < stream.length * 8; bit += step) {
                byte[] broken = stream.clone();
                broken[bit / 8] ^= (byte) (1 << bit % 8);
                requireLittle(broken, 4_096);
                cases++;
            }
        }
        audit.cases(cases);
    }

    @Test
    void anyLengthInPlaceOfAnyFourOrEightBytesTakesLittle() throws IOException {
        byte[] stream = stream(some(), 9);
        ByteBuffer bytes = ByteBuffer.allocate(stream.length).order(ByteOrder.LITTLE_ENDIAN);
        long[] lies = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40, 1 << 28, 64};
        int cases = 0;
        for (int at = 0; at < stream.length - 8; at += 4) {
            for (long lie : lies) {
                bytes.clear().put(stream);
                if (lie == (int) lie && cases % 2 == 0) {
                    bytes.putInt(at, (int) lie);
                } else {
                    bytes.putLong(at, lie);
                }
                requireLittle(bytes.array(), 4_096);
                cases++;
            }
        }
        audit.cases(cases);
    }

    /** Messages made by hand. */
    private static final class Streams {
        private final ByteBuffer stream = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

        Streams message(FlatBufferBuilder builder, byte type, int header, long bodyLength, int... body) {
            Message.startMessage(builder);
            Message.addHeaderType(builder, type);
            Message.addHeader(builder, header);
            Message.addVersion(builder, MetadataVersion.V5);
            Message.addBodyLength(builder, bodyLength);
            builder.finish(Message.endMessage(builder));
            ByteBuffer message = builder.dataBuffer();
            int length = message.remaining() + (8 - message.remaining() % 8) % 8;
            stream.putInt(-1).putInt(length).put(message);
            while (stream.position() % 8 != 0) {
                stream.put((byte) 0);
            }
            for (int word : body) {
                stream.putInt(word);
            }
            return this;
        }

        Streams schema(ArrowType type, org.apache.arrow.vector.types.pojo.Field... children) {
            org.apache.arrow.vector.types.pojo.Schema schema =
                    new org.apache.arrow.vector.types.pojo.Schema(List.of(Batches.field("f", type, children)));
            FlatBufferBuilder builder = new FlatBufferBuilder();
            return message(builder, MessageHeader.Schema, schema.getSchema(builder), 0);
        }

        /** Of one column, whose values of that type are in dictionary 1. */
        Streams encoded(ArrowType type, org.apache.arrow.vector.types.pojo.Field... children) {
            FlatBufferBuilder builder = new FlatBufferBuilder();
            int at = new org.apache.arrow.vector.types.pojo.Schema(List.of(new org.apache.arrow.vector.types.pojo.Field(
                            "f", new FieldType(true, type, new DictionaryEncoding(1, false, null)), List.of(children))))
                    .getSchema(builder);
            return message(builder, MessageHeader.Schema, at, 0);
        }

        /** Nodes of length and nulls, buffers of offset and length, one pair after the other. */
        Streams batch(long rows, long[] nodes, long[] buffers, long bodyLength, int... body) {
            FlatBufferBuilder builder = new FlatBufferBuilder();
            int batch = recordBatch(builder, rows, nodes, buffers);
            return message(builder, MessageHeader.RecordBatch, batch, bodyLength, body);
        }

        /** The same that is added to dictionary 1. */
        Streams delta(long rows, long[] nodes, long[] buffers, long bodyLength, int... body) {
            FlatBufferBuilder builder = new FlatBufferBuilder();
            int batch = recordBatch(builder, rows, nodes, buffers);
            int delta = DictionaryBatch.createDictionaryBatch(builder, 1, batch, true);
            return message(builder, MessageHeader.DictionaryBatch, delta, bodyLength, body);
        }

        private static int recordBatch(FlatBufferBuilder builder, long rows, long[] nodes, long[] buffers) {
            RecordBatch.startNodesVector(builder, nodes.length / 2);
            for (int i = nodes.length - 2; i >= 0; i -= 2) {
                FieldNode.createFieldNode(builder, nodes[i], nodes[i + 1]);
            }
            int nodesAt = builder.endVector();
            RecordBatch.startBuffersVector(builder, buffers.length / 2);
            for (int i = buffers.length - 2; i >= 0; i -= 2) {
                Buffer.createBuffer(builder, buffers[i], buffers[i + 1]);
            }
            int buffersAt = builder.endVector();
            RecordBatch.startRecordBatch(builder);
            RecordBatch.addLength(builder, rows);
            RecordBatch.addNodes(builder, nodesAt);
            RecordBatch.addBuffers(builder, buffersAt);
            return RecordBatch.endRecordBatch(builder);
        }

        byte[] end() {
            stream.putInt(-1).putInt(0);
            return Arrays.copyOf(stream.array(), stream.position());
        }
    }

    private static final ArrowType LONG = new ArrowType.Int(64, true);
    private static final ArrowType STRUCT = new ArrowType.Struct();

    private static void refuses(String reason, Streams stream) throws IOException {
        ResultException refused = requireLittle(stream.end(), 1_000);
        assertTrue(refused != null && refused.getMessage().contains(reason), reason + ": " + refused);
    }

    private static long[] pairs(long... pairs) {
        return pairs;
    }

    @Test
    void batchOfWhatItsBodyDoesNotHoldIsRefused() throws IOException {
        assertEquals(
                null,
                read(
                        new Streams()
                                .schema(LONG)
                                .batch(1, pairs(1, 0), pairs(0, 0, 0, 8), 8, 1, 2)
                                .end(),
                        100));
        Object[][] cases = {
            {"too few", 2, pairs(2, 0), pairs(0, 0, 0, 8), 8L},
            {"another length|other length", 2, pairs(1, 0), pairs(0, 0, 0, 8), 8L},
            {"no vector has", -1, pairs(-1, 0), pairs(0, 0, 0, 8), 8L},
            {"no vector has", 0, pairs(1L << 31, 0), pairs(0, 0, 0, 8), 8L},
            {"more nulls", 1, pairs(1, 2), pairs(0, 0, 0, 8), 8L},
            {"not marked", 2, pairs(2, 1), pairs(0, 0, 0, 8), 8L},
            {"outside its body", 1, pairs(1, 0), pairs(0, 0, 8, 8), 8L},
            {"outside its body", 1, pairs(1, 0), pairs(0, 0, -8, 8), 8L},
            {"outside its body", 1, pairs(1, 0), pairs(0, 0, 8, -8), 8L},
            {"outside its body", 1, pairs(1, 0), pairs(0, 0, Long.MAX_VALUE, 8), 8L},
            {"overlap", 1, pairs(1, 0), pairs(0, 8, 0, 8), 8L},
            {"fewer buffers", 1, pairs(1, 0), pairs(0, 0), 8L},
            {"more buffers", 1, pairs(1, 0), pairs(0, 0, 0, 8, 0, 0), 8L},
            {"other columns", 1, pairs(1, 0, 1, 0), pairs(0, 0, 0, 8), 8L},
            {"body of -8", 1, pairs(1, 0), pairs(0, 0, 0, 8), -8L},
            {"too large", 1, pairs(1, 0), pairs(0, 0, 0, 8), 1L << 31},
            {"ends inside", 1, pairs(1, 0), pairs(0, 0, 0, 8), 1L << 30},
        };
        for (Object[] c : cases) {
            Streams stream =
                    new Streams().schema(LONG).batch((int) c[1], (long[]) c[2], (long[]) c[3], (long) c[4], 1, 2);
            ResultException refused = requireLittle(stream.end(), 1_000);
            assertTrue(
                    refused != null
                            && Arrays.stream(((String) c[0]).split("\\|")).anyMatch(refused.getMessage()::contains),
                    c[0] + ": " + refused);
        }
    }

    @Test
    void rowsWithoutABodyAreNotMadeUp() throws IOException {
        refuses(
                "rows that are not there",
                new Streams().schema(STRUCT).batch(1 << 30, pairs(1 << 30, 0), pairs(0, 0), 0));
        assertEquals(
                null,
                read(
                        new Streams()
                                .schema(STRUCT)
                                .batch(1 << 20, pairs(1 << 20, 0), pairs(0, 0), 0)
                                .end(),
                        100));
    }

    /** Arrow makes room for such again and again, in vain. */
    @Test
    void nestedDictionariesAreNotAddedTo() throws IOException {
        List<Streams> streams = List.of(
                new Streams()
                        .encoded(new ArrowType.FixedSizeList(0), Batches.field("e", LONG))
                        .delta(1, pairs(1, 0, 0, 0), pairs(0, 0, 0, 0, 0, 0), 0),
                new Streams()
                        .encoded(STRUCT, Batches.field("e", new ArrowType.Null()))
                        .delta(1, pairs(1, 0, 1, 0), pairs(0, 0), 0),
                many(new Streams().encoded(STRUCT)));
        for (Streams stream : streams) {
            ResultException refused = read(stream.end(), 1_000, DecoderLimits.DEFAULT, 64 << 20);
            assertTrue(refused != null && refused.getMessage().contains("nested"), String.valueOf(refused));
        }
    }

    /** Rows without a body, each batch of them few enough. */
    private static Streams many(Streams stream) {
        for (int i = 0; i < 20; i++) {
            stream.delta(1 << 23, pairs(1 << 23, 0), pairs(0, 0), 0);
        }
        return stream;
    }

    @Test
    void flatDictionariesAreAddedTo() throws IOException {
        Streams longs = new Streams().encoded(LONG);
        for (int i = 0; i < 9; i++) {
            longs.delta(1, pairs(1, 0), pairs(0, 0, 0, 8), 8, i, i);
        }
        assertEquals(null, read(longs.end(), 100));
    }

    @Test
    void rowsOfNoColumnsAreCounted() throws IOException {
        for (long rows : new long[] {-1, -5, 1L << 31, Long.MIN_VALUE}) {
            FlatBufferBuilder builder = new FlatBufferBuilder();
            int at = new org.apache.arrow.vector.types.pojo.Schema(List.of()).getSchema(builder);
            refuses(
                    "no vector has",
                    new Streams().message(builder, MessageHeader.Schema, at, 0).batch(rows, pairs(), pairs(), 0));
        }
    }

    @Test
    void offsetsThatFallOrLeadOutsideAreRefused() throws IOException {
        ArrowType text = new ArrowType.Utf8();
        long[] buffers = pairs(0, 0, 0, 12, 16, 8);
        assertEquals(
                null,
                read(
                        new Streams()
                                .schema(text)
                                .batch(2, pairs(2, 0), buffers, 24, 0, 4, 8, 0, 65, 65)
                                .end(),
                        9));
        refuses("offset 3 behind 4", new Streams().schema(text).batch(2, pairs(2, 0), buffers, 24, 0, 4, 3, 0, 1, 1));
        refuses("offset -1", new Streams().schema(text).batch(2, pairs(2, 0), buffers, 24, -1, 4, 8, 0, 1, 1));
        refuses("behind its buffer", new Streams().schema(text).batch(2, pairs(2, 0), buffers, 24, 0, 4, 9, 0, 1, 1));
        refuses(
                "offsets that are too few",
                new Streams().schema(text).batch(3, pairs(3, 0), buffers, 24, 0, 4, 8, 0, 1, 1));
        refuses(
                "elements that are too few",
                new Streams()
                        .schema(new ArrowType.List(), Batches.field("e", LONG))
                        .batch(1, pairs(1, 0, 1, 0), pairs(0, 0, 0, 8, 8, 0, 8, 8), 16, 0, 1 << 28, 1, 1));
        refuses(
                "elements that are too few",
                new Streams()
                        .schema(new ArrowType.FixedSizeList(1 << 30), Batches.field("e", LONG))
                        .batch(8, pairs(8, 0, 1, 0), pairs(0, 0, 0, 0, 0, 8), 8, 0, 1));
    }

    @Test
    void schemaWhoseFieldsShareTheirChildrenIsRefused() throws IOException {
        FlatBufferBuilder builder = new FlatBufferBuilder();
        Int.startInt(builder);
        Int.addBitWidth(builder, 32);
        int type = Int.endInt(builder);
        int name = builder.createString("f");
        int child = 0;
        for (int depth = 0; depth < 40; depth++) {
            int children = depth == 0 ? 0 : Field.createChildrenVector(builder, new int[] {child, child});
            Field.startField(builder);
            Field.addName(builder, name);
            Field.addTypeType(builder, depth == 0 ? Type.Int : Type.Struct_);
            Field.addType(builder, type);
            if (depth > 0) {
                Field.addChildren(builder, children);
            }
            child = Field.endField(builder);
        }
        int fields = Schema.createFieldsVector(builder, new int[] {child});
        Schema.startSchema(builder);
        Schema.addFields(builder, fields);
        int schema = Schema.endSchema(builder);
        refuses("more than its bytes", new Streams().message(builder, MessageHeader.Schema, schema, 0));
    }

    @Test
    void fieldsNestedWithoutEndAreRefused() throws IOException {
        org.apache.arrow.vector.types.pojo.Field field = Batches.field("f", LONG);
        for (int i = 0; i < 70; i++) {
            field = Batches.field("f", new ArrowType.List(), field);
        }
        refuses("nested deeper", new Streams().schema(STRUCT, field));
    }

    @Test
    void messagesOutOfPlaceAreRefused() throws IOException {
        refuses("no schema", new Streams());
        refuses("no schema", new Streams().batch(0, pairs(0, 0), pairs(0, 0, 0, 0), 0));
        refuses("among batches", new Streams().schema(LONG).schema(LONG));
        FlatBufferBuilder bodied = new FlatBufferBuilder();
        int at = new org.apache.arrow.vector.types.pojo.Schema(List.of()).getSchema(bodied);
        refuses("schema with a body", new Streams().message(bodied, MessageHeader.Schema, at, 8, 0, 0));
    }

    @Test
    void limitsOfTheReaderAndOfTheAllocatorHold() throws IOException {
        byte[] stream = stream(List.of(Batches.field("long", LONG)), 10_000);
        ResultException value = read(stream, 1_000, DecoderLimits.DEFAULT.withValueBytes(70_000), Long.MAX_VALUE);
        assertTrue(value instanceof ResultTooLargeException && value.limit() == 70_000, String.valueOf(value));
        ResultException payload = read(stream, 1_000, DecoderLimits.DEFAULT.withPayloadBytes(100_000), Long.MAX_VALUE);
        assertTrue(payload instanceof ResultTooLargeException, String.valueOf(payload));
        ResultException never = read(stream, 1_000, DecoderLimits.DEFAULT, 70_000);
        assertTrue(never instanceof ResultTooLargeException && never.limit() == 70_000, String.valueOf(never));
        ResultException now = read(stream, 1_000, DecoderLimits.DEFAULT, 100_000);
        assertTrue(now instanceof BudgetExhaustedException && now.retriable(), String.valueOf(now));
    }

    @Test
    void allocatorWithoutRoomForAnyPartIsToldAsSuch() throws IOException {
        byte[] stream = stream(some(), 9);
        int room = 0;
        while (true) {
            ResultException refused = read(stream, 1_000, DecoderLimits.DEFAULT, room);
            if (refused == null) {
                break;
            }
            assertTrue(
                    refused instanceof BudgetExhaustedException || refused instanceof ResultTooLargeException,
                    room + ": " + refused);
            room += 32;
        }
        audit.cases(room / 32);
        byte[] madeUp = new Streams()
                .schema(STRUCT)
                .batch(1 << 20, pairs(1 << 20, 0), pairs(0, 0), 0)
                .end();
        assertTrue(read(madeUp, 100, DecoderLimits.DEFAULT, 1 << 16) instanceof BudgetExhaustedException);
    }

    @Test
    void sourcesOwnExceptionComesOutAsItWasEachTime() throws IOException {
        byte[] stream = stream(List.of(Batches.field("long", LONG)), 10_000);
        IOException cut = new IOException("the source's own");
        int[] given = {0};
        try (BufferAllocator allocator = new RootAllocator()) {
            WireInput in = new WireInput(
                    drained -> {
                        if (given[0] == stream.length / 4 * 3) {
                            throw cut;
                        }
                        int from = given[0];
                        given[0] += stream.length / 4;
                        return io.netty.buffer.Unpooled.wrappedBuffer(stream, from, stream.length / 4);
                    },
                    DecoderLimits.DEFAULT,
                    new ResultId("job", 1, 2, 0));
            try (ArrowReader batches = ArrowCodecs.batches(allocator).decode(in)) {
                assertTrue(batches.loadNextBatch());
                assertSame(cut, assertThrows(IOException.class, () -> {
                    while (batches.loadNextBatch()) {
                        touch(batches);
                    }
                }));
                assertSame(cut, assertThrows(IOException.class, batches::loadNextBatch));
            }
        }
    }
}
