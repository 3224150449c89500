// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseLargeVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.LargeListViewVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.ListViewVector;
import org.apache.arrow.vector.complex.RunEndEncodedVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.IntervalUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.Types.MinorType;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Roots of every type with values of any kind, and Arrow's own way to and from bytes. */
final class Batches {

    private Batches() {}

    static Field field(String name, ArrowType type, Field... children) {
        return new Field(name, FieldType.nullable(type), List.of(children));
    }

    private static final Field INT = field("number", new ArrowType.Int(32, true));
    private static final Field TEXT = field("text", new ArrowType.Utf8());

    static List<Field> plain() {
        List<Field> fields = new ArrayList<>();
        for (int bits : new int[] {8, 16, 32, 64}) {
            fields.add(field("int" + bits, new ArrowType.Int(bits, true)));
            fields.add(field("uint" + bits, new ArrowType.Int(bits, false)));
        }
        for (FloatingPointPrecision precision : FloatingPointPrecision.values()) {
            fields.add(field(precision.name(), new ArrowType.FloatingPoint(precision)));
        }
        fields.add(field("flag", new ArrowType.Bool()));
        fields.add(field("nothing", new ArrowType.Null()));
        fields.add(field("decimal", new ArrowType.Decimal(30, 3, 128)));
        fields.add(field("decimal256", new ArrowType.Decimal(60, 3, 256)));
        for (DateUnit unit : DateUnit.values()) {
            fields.add(field("date" + unit, new ArrowType.Date(unit)));
        }
        for (TimeUnit unit : TimeUnit.values()) {
            int bits = unit == TimeUnit.SECOND || unit == TimeUnit.MILLISECOND ? 32 : 64;
            fields.add(field("time" + unit, new ArrowType.Time(unit, bits)));
            fields.add(field("stamp" + unit, new ArrowType.Timestamp(unit, null)));
            fields.add(field("zoned" + unit, new ArrowType.Timestamp(unit, "Europe/Berlin")));
            fields.add(field("duration" + unit, new ArrowType.Duration(unit)));
        }
        for (IntervalUnit unit : IntervalUnit.values()) {
            fields.add(field("interval" + unit, new ArrowType.Interval(unit)));
        }
        fields.add(field("fixed", new ArrowType.FixedSizeBinary(5)));
        fields.add(TEXT);
        fields.add(field("bytes", new ArrowType.Binary()));
        fields.add(field("largeText", new ArrowType.LargeUtf8()));
        fields.add(field("largeBytes", new ArrowType.LargeBinary()));
        fields.add(field("textView", new ArrowType.Utf8View()));
        fields.add(field("bytesView", new ArrowType.BinaryView()));
        return fields;
    }

    @SuppressWarnings("EnumOrdinal") // these are what Arrow writes for the types
    static List<Field> nested() {
        Field pair = field("pair", new ArrowType.Struct(), INT, field("list", new ArrowType.List(), TEXT));
        Field entry = new Field(
                "entries",
                FieldType.notNullable(new ArrowType.Struct()),
                List.of(
                        new Field("key", FieldType.notNullable(new ArrowType.Utf8()), null),
                        field("value", new ArrowType.Int(64, true))));
        return List.of(
                field("list", new ArrowType.List(), INT),
                field("listOfLists", new ArrowType.List(), field("inner", new ArrowType.List(), pair)),
                field("largeList", new ArrowType.LargeList(), TEXT),
                field("listView", new ArrowType.ListView(), INT),
                field("largeListView", new ArrowType.LargeListView(), INT),
                field("triple", new ArrowType.FixedSizeList(3), field("x", new ArrowType.Int(16, true))),
                pair,
                field("empty", new ArrowType.Struct()),
                field("map", new ArrowType.Map(false), entry),
                field(
                        "dense",
                        new ArrowType.Union(UnionMode.Dense, new int[] {0, 1}),
                        INT,
                        field("other", new ArrowType.Utf8())),
                field(
                        "sparse",
                        new ArrowType.Union(
                                UnionMode.Sparse, new int[] {MinorType.INT.ordinal(), MinorType.VARCHAR.ordinal()}),
                        field("int", new ArrowType.Int(32, true)),
                        field("varchar", new ArrowType.Utf8())),
                field(
                        "runs",
                        new ArrowType.RunEndEncoded(),
                        new Field("run_ends", FieldType.notNullable(new ArrowType.Int(32, true)), null),
                        field("values", new ArrowType.Utf8())));
    }

    static Schema schema(List<Field> fields) {
        return new Schema(fields, java.util.Map.of("origin", "test"));
    }

    static void fill(VectorSchemaRoot root, int rows, Random random) {
        for (FieldVector vector : root.getFieldVectors()) {
            fill(vector, rows, random);
        }
        root.setRowCount(rows);
    }

    private static byte[] bytes(Random random, int most) {
        byte[] bytes = new byte[random.nextInt(most + 1)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ('a' + random.nextInt(26));
        }
        return bytes;
    }

    private static boolean present(FieldVector vector, Random random) {
        return !vector.getField().isNullable() || random.nextInt(5) > 0;
    }

    static void fill(FieldVector vector, int rows, Random random) {
        vector.clear();
        vector.setInitialCapacity(Math.max(1, rows));
        vector.allocateNew();
        if (vector instanceof BaseFixedWidthVector fixed) {
            fixed.setValueCount(rows);
            byte[] data = new byte[(int) fixed.getDataBuffer().writerIndex()];
            random.nextBytes(data);
            fixed.getDataBuffer().setBytes(0, data);
            for (int i = 0; i < rows; i++) {
                BitVectorHelper.setValidityBit(fixed.getValidityBuffer(), i, present(vector, random) ? 1 : 0);
            }
        } else if (vector instanceof BaseVariableWidthVector text) {
            for (int i = 0; i < rows; i++) {
                if (present(vector, random)) {
                    text.setSafe(i, bytes(random, 20));
                }
            }
        } else if (vector instanceof BaseLargeVariableWidthVector text) {
            for (int i = 0; i < rows; i++) {
                if (present(vector, random)) {
                    text.setSafe(i, bytes(random, 20));
                }
            }
        } else if (vector instanceof BaseVariableWidthViewVector text) {
            // Arrow leaves what was there behind short texts and where there are none.
            text.getDataBuffer().setOne(0, text.getDataBuffer().capacity());
            for (int i = 0; i < rows; i++) {
                if (present(vector, random)) {
                    text.setSafe(i, bytes(random, 40));
                }
            }
        } else if (!(vector instanceof NullVector)) {
            nest(vector, rows, random);
        }
        vector.setValueCount(rows);
    }

    private static void nest(FieldVector vector, int rows, Random random) {
        int held = 0;
        if (vector instanceof ListVector list) {
            for (int i = 0; i < rows; i++) {
                int size = random.nextInt(4);
                if (present(vector, random)) {
                    list.startNewValue(i);
                    list.endValue(i, size);
                    held += size;
                }
            }
            fill(list.getDataVector(), held, random);
        } else if (vector instanceof LargeListVector list) {
            for (int i = 0; i < rows; i++) {
                int size = random.nextInt(4);
                if (present(vector, random)) {
                    list.startNewValue(i);
                    list.endValue(i, size);
                    held += size;
                }
            }
            fill(list.getDataVector(), held, random);
        } else if (vector instanceof ListViewVector list) {
            for (int i = 0; i < rows; i++) {
                int size = random.nextInt(4);
                list.startNewValue(i);
                list.endValue(i, size);
                held += size;
            }
            fill(list.getDataVector(), held, random);
        } else if (vector instanceof LargeListViewVector list) {
            for (int i = 0; i < rows; i++) {
                int size = random.nextInt(4);
                list.startNewValue(i);
                list.endValue(i, size);
                held += size;
            }
            fill(list.getDataVector(), held, random);
        } else if (vector instanceof FixedSizeListVector list) {
            for (int i = 0; i < rows; i++) {
                if (present(vector, random)) {
                    list.setNotNull(i);
                }
            }
            fill(list.getDataVector(), rows * list.getListSize(), random);
        } else if (vector instanceof StructVector struct) {
            for (int i = 0; i < rows; i++) {
                if (present(vector, random)) {
                    struct.setIndexDefined(i);
                }
            }
            for (FieldVector child : struct.getChildrenFromFields()) {
                fill(child, rows, random);
            }
        } else if (vector instanceof UnionVector union) {
            for (FieldVector child : union.getChildrenFromFields()) {
                fill(child, rows, random);
            }
            for (int i = 0; i < rows; i++) {
                union.setType(i, i % 2 == 0 ? MinorType.INT : MinorType.VARCHAR);
            }
        } else if (vector instanceof DenseUnionVector union) {
            int[] counts = new int[2];
            for (int i = 0; i < rows; i++) {
                byte type = (byte) random.nextInt(2);
                union.setTypeId(i, type);
                union.getOffsetBuffer().setInt(4L * i, counts[type]++);
            }
            for (byte type = 0; type < 2; type++) {
                fill((FieldVector) union.getVectorByType(type), counts[type], random);
            }
        } else if (vector instanceof RunEndEncodedVector runs) {
            int count = (rows + 2) / 3;
            IntVector ends = (IntVector) runs.getRunEndsVector();
            ends.allocateNew(count);
            for (int i = 0; i < count; i++) {
                ends.set(i, Math.min(rows, 3 * i + 3));
            }
            ends.setValueCount(count);
            fill(runs.getValuesVector(), count, random);
        } else {
            throw new AssertionError(vector.getClass());
        }
    }

    /** One column of longs, each of its rows telling which it is and of which batch. */
    static VectorSchemaRoot longs(BufferAllocator allocator) {
        return VectorSchemaRoot.create(schema(List.of(field("long", new ArrowType.Int(64, true)))), allocator);
    }

    static void fillLongs(VectorSchemaRoot root, int batch, int rows) {
        BigIntVector vector = (BigIntVector) root.getVector(0);
        if (vector.getValueCapacity() < rows) {
            vector.allocateNew(rows);
        }
        for (int i = 0; i < rows; i++) {
            vector.set(i, (long) batch << 32 | i);
        }
        root.setRowCount(rows);
    }

    /** Fills so many batches of longs in place. */
    static ArrowReader longs(VectorSchemaRoot root, int batches, int rows) {
        int[] batch = {0};
        return ArrowCodecs.filled(root, into -> {
            if (batch[0] == batches) {
                return false;
            }
            fillLongs(into, batch[0]++, rows);
            return true;
        });
    }

    /** What Arrow's own writer makes of it. */
    static byte[] arrows(ArrowReader batches) throws IOException {
        return arrows(batches.getVectorSchemaRoot(), batches, batches::loadNextBatch);
    }

    interface Loading {
        boolean next() throws IOException;
    }

    static byte[] arrows(VectorSchemaRoot root, DictionaryProvider dictionaries, Loading loading) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArrowStreamWriter writer = new ArrowStreamWriter(root, dictionaries, Channels.newChannel(bytes))) {
            writer.start();
            while (loading.next()) {
                writer.writeBatch();
            }
            writer.end();
        }
        return bytes.toByteArray();
    }

    /** What Arrow's own reader and writer make of it. */
    static byte[] throughArrow(byte[] stream) throws IOException {
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = new ArrowStreamReader(new ByteArrayInputStream(stream), allocator)) {
            return arrows(reader);
        }
    }
}
