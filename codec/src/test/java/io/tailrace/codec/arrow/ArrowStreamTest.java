// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.codec.Payloads;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.MetadataVersion;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same bytes as Arrow's own, written and read, in regions and buffers of any size. */
class ArrowStreamTest {

    private static final int[] REGIONS = {64, 65, 71, 100, 1_000, 4_093, 1 << 20};
    private static final int[] BUFFERS = {1, 2, 3, 5, 7, 8, 9, 63, 1_000, 1 << 20};

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private final RootAllocator allocator = new RootAllocator();
    private final ValueCodec<ArrowReader> codec = ArrowCodecs.batches(allocator);

    @AfterEach
    void allIsGivenBack() {
        allocator.close(); // throws where anything is left
    }

    static Stream<Field> types() {
        return Stream.concat(Batches.plain().stream(), Batches.nested().stream());
    }

    /** Batches of so many rows each, in place. */
    private ArrowReader batches(VectorSchemaRoot root, long seed, int... rows) {
        Random random = new Random(seed);
        int[] at = {0};
        return ArrowCodecs.filled(root, into -> {
            if (at[0] == rows.length) {
                return false;
            }
            Batches.fill(into, rows[at[0]++], random);
            return true;
        });
    }

    private void requireSame(Schema schema, long seed, int... rows) throws IOException {
        byte[] expected;
        try (VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator)) {
            expected = Batches.arrows(batches(root, seed, rows));
            assertEquals(
                    0xFFFF_FFFFL,
                    Integer.toUnsignedLong(java.nio.ByteBuffer.wrap(expected, expected.length - 8, 4)
                            .getInt()));
            for (int region : REGIONS) {
                assertArrayEquals(
                        expected, Payloads.encode(codec, batches(root, seed, rows), region), schema.toString());
            }
        }
        byte[] throughArrow = Batches.throughArrow(expected);
        for (int buffer : BUFFERS) {
            WireInput in = Payloads.input(expected, buffer, DecoderLimits.DEFAULT);
            try (ArrowReader read = codec.decode(in)) {
                assertEquals(schema, read.getVectorSchemaRoot().getSchema());
                assertArrayEquals(throughArrow, Batches.arrows(read), schema.toString());
                assertFalse(read.loadNextBatch(), "there is nothing behind the end");
                assertTrue(in.exhausted());
                assertEquals(expected.length, read.bytesRead());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void eachTypeHasTheBytesOfArrowsOwnWriter(Field field) throws IOException {
        requireSame(Batches.schema(List.of(field)), audit.seed(), 10, 0, 1, 65);
    }

    @Test
    void allTypesTogether() throws IOException {
        requireSame(Batches.schema(types().toList()), audit.seed(), 33, 0, 100);
    }

    @Test
    void noBatchesNoRowsNoColumns() throws IOException {
        requireSame(Batches.schema(types().toList()), 1);
        requireSame(Batches.schema(types().toList()), 1, 0, 0);
        requireSame(Batches.schema(List.of()), 1, 0, 5);
    }

    @Test
    void streamOfBeforeThereWereContinuationTokensIsRead() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (VectorSchemaRoot root = Batches.longs(allocator);
                ArrowStreamWriter writer = new ArrowStreamWriter(
                        root,
                        new MapDictionaryProvider(),
                        Channels.newChannel(bytes),
                        new IpcOption(true, MetadataVersion.V4))) {
            Batches.fillLongs(root, 0, 100);
            writer.writeBatch();
        }
        WireInput in = Payloads.input(bytes.toByteArray(), 7, DecoderLimits.DEFAULT);
        try (ArrowReader read = codec.decode(in)) {
            assertTrue(read.loadNextBatch());
            assertEquals(100, read.getVectorSchemaRoot().getRowCount());
            assertFalse(read.loadNextBatch());
            assertTrue(in.exhausted());
        }
    }

    private static void put(VarCharVector vector, String... texts) {
        vector.clear();
        vector.allocateNew();
        for (int i = 0; i < texts.length; i++) {
            vector.setSafe(i, texts[i].getBytes(StandardCharsets.UTF_8));
        }
        vector.setValueCount(texts.length);
    }

    private static final DictionaryEncoding WORDS = new DictionaryEncoding(7, false, null);

    /** A column of indices, at the top and in a list, and its dictionary, which is replaced in front of the third batch. */
    private final class Encoded implements AutoCloseable {
        final VarCharVector words = new VarCharVector("words", allocator);
        final MapDictionaryProvider dictionaries = new MapDictionaryProvider(new Dictionary(words, WORDS));
        final VectorSchemaRoot root;

        Encoded() {
            FieldType index = new FieldType(true, new ArrowType.Int(32, true), WORDS);
            Field top = new Field("word", index, null);
            Field list = Batches.field("list", new ArrowType.List(), new Field("element", index, null));
            root = VectorSchemaRoot.create(new Schema(List.of(top, list)), allocator);
        }

        ArrowReader batches() {
            int[] batch = {0};
            return ArrowCodecs.filled(root, dictionaries, into -> {
                int at = batch[0]++;
                if (at % 2 == 0) {
                    put(words, "one", "two", "batch " + at);
                }
                Batches.fill(into, 20, new Random(at));
                modulo((IntVector) into.getVector(0));
                modulo((IntVector) into.getVector(1).getChildrenFromFields().get(0));
                return at < 4;
            });
        }

        private void modulo(IntVector vector) {
            for (int i = 0; i < vector.getValueCount(); i++) {
                if (!vector.isNull(i)) {
                    vector.set(i, Math.floorMod(vector.get(i), 3));
                }
            }
        }

        @Override
        public void close() {
            root.close();
            words.close();
        }
    }

    @Test
    void dictionariesAreWrittenAndReplacedAsArrowsOwnWriterDoes() throws IOException {
        try (Encoded encoded = new Encoded()) {
            byte[] expected = Batches.arrows(encoded.batches());
            byte[] throughArrow = Batches.throughArrow(expected);
            for (int region : REGIONS) {
                assertArrayEquals(expected, Payloads.encode(codec, encoded.batches(), region));
            }
            for (int buffer : BUFFERS) {
                try (ArrowReader read = codec.decode(Payloads.input(expected, buffer, DecoderLimits.DEFAULT))) {
                    assertArrayEquals(throughArrow, Batches.arrows(read));
                }
            }
            List<String> last = new ArrayList<>();
            try (ArrowReader read = codec.decode(Payloads.input(expected, 100, DecoderLimits.DEFAULT))) {
                while (read.loadNextBatch()) {
                    last.add(read.lookup(7).getVector().getObject(2).toString());
                }
            }
            assertEquals(List.of("batch 0", "batch 0", "batch 2", "batch 2"), last);
        }
    }

    /** A stream with one dictionary batch more, as Arrow's writer never makes one. */
    private byte[] withDelta(long id, boolean delta) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Encoded encoded = new Encoded();
                ArrowStreamWriter writer =
                        new ArrowStreamWriter(encoded.root, encoded.dictionaries, Channels.newChannel(bytes))) {
            put(encoded.words, "one", "two");
            encoded.root.setRowCount(0);
            writer.writeBatch();
            put(encoded.words, "three");
            FieldVector words = encoded.words;
            VectorSchemaRoot root = new VectorSchemaRoot(List.of(words));
            try (ArrowDictionaryBatch batch =
                    new ArrowDictionaryBatch(id, new VectorUnloader(root).getRecordBatch(), delta)) {
                MessageSerializer.serialize(new WriteChannel(Channels.newChannel(bytes)), batch);
            }
            put(encoded.words, "one", "two");
            writer.writeBatch();
            writer.end();
        }
        return bytes.toByteArray();
    }

    @Test
    void whatIsAddedToADictionaryIsRead() throws IOException {
        try (ArrowReader read = codec.decode(Payloads.input(withDelta(7, true), 9, DecoderLimits.DEFAULT))) {
            assertTrue(read.loadNextBatch());
            assertEquals(2, read.lookup(7).getVector().getValueCount());
            assertTrue(read.loadNextBatch());
            assertEquals(3, read.lookup(7).getVector().getValueCount());
            assertEquals("three", read.lookup(7).getVector().getObject(2).toString());
            assertFalse(read.loadNextBatch());
        }
    }

    @Test
    void dictionaryThatTheSchemaDoesNotNameIsRefusedForGood() throws IOException {
        try (ArrowReader read = codec.decode(Payloads.input(withDelta(8, false), 9, DecoderLimits.DEFAULT))) {
            assertTrue(read.loadNextBatch());
            for (int i = 0; i < 2; i++) {
                MalformedDataException refused = assertThrows(MalformedDataException.class, read::loadNextBatch);
                assertTrue(refused.getMessage().contains("dictionary 8"), refused.getMessage());
                assertEquals(0, read.getVectorSchemaRoot().getRowCount());
            }
        }
    }

    @Test
    void readerOfArrowsOwnIsWrittenAsItReads() throws IOException {
        try (Encoded encoded = new Encoded()) {
            byte[] stream = Batches.arrows(encoded.batches());
            try (BufferAllocator theirs = new RootAllocator();
                    ArrowReader reader = new org.apache.arrow.vector.ipc.ArrowStreamReader(
                            new java.io.ByteArrayInputStream(stream), theirs)) {
                assertArrayEquals(Batches.throughArrow(stream), Payloads.encode(codec, reader, 4_096));
            }
        }
    }

    @Test
    void dictionaryThatIsMissingIsToldBeforeAnythingIsWritten() {
        Field word = new Field("word", new FieldType(true, new ArrowType.Int(32, true), WORDS), null);
        try (VectorSchemaRoot root = VectorSchemaRoot.create(new Schema(List.of(word)), allocator)) {
            MalformedDataException refused = assertThrows(
                    MalformedDataException.class,
                    () -> Payloads.encode(codec, ArrowCodecs.filled(root, into -> true), 100));
            assertTrue(refused.getMessage().contains("schema"), refused.getMessage());
            assertEquals(0, refused.offset());
        }
    }
}
