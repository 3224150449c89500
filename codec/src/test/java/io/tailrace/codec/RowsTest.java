// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.ValueCodec;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rows by cursor. */
class RowsTest {

    private static final Columns COLUMNS = Columns.builder()
            .column("id", Columns.Type.LONG)
            .nullableColumn("price", Columns.Type.DOUBLE)
            .nullableColumn("comment", Columns.Type.TEXT)
            .column("flag", Columns.Type.BOOLEAN)
            .nullableColumn("small", Columns.Type.SHORT)
            .nullableColumn("blob", Columns.Type.BYTES)
            .column("letter", Columns.Type.CHAR)
            .column("ratio", Columns.Type.FLOAT)
            .column("tiny", Columns.Type.BYTE)
            .column("number", Columns.Type.INT)
            .build();

    private interface Rows {
        void write(RowWriter writer) throws IOException;
    }

    /** Rows as a whole payload. */
    private static byte[] payload(Columns columns, Rows rows, int region) throws IOException {
        return Payloads.encode(
                new ValueCodec<Rows>() {
                    @Override
                    public String id() {
                        return columns.id();
                    }

                    @Override
                    public void encode(Rows value, WireOutput out) throws IOException {
                        value.write(columns.writer(out));
                    }

                    @Override
                    public Rows decode(WireInput in) {
                        throw new UnsupportedOperationException();
                    }
                },
                rows,
                region);
    }

    private static RowReader reader(Columns columns, byte[] payload, int buffer) throws IOException {
        return columns.reader(Payloads.input(payload, buffer, DecoderLimits.DEFAULT));
    }

    private static void write(RowWriter writer, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            writer.setInt(9, -i)
                    .setLong(0, i)
                    .setBoolean(3, i % 2 == 0)
                    .setChar(6, (char) i)
                    .setFloat(7, i / 2f)
                    .setByte(8, (byte) i);
            if (i % 3 != 0) {
                writer.setDouble(1, i * 1.5).setText(2, "row " + i + (i % 5 == 0 ? " \u4e2d" : ""));
            }
            if (i % 4 == 0) {
                writer.setShort(4, (short) i).setBytes(5, new byte[] {(byte) i});
            }
            writer.next();
        }
    }

    @Test
    void rowsComeBackInRegionsAndBuffersOfAnySize() throws IOException {
        byte[] whole = payload(COLUMNS, writer -> write(writer, 200), 1 << 20);
        for (int size : new int[] {64, 65, 79, 1_000}) {
            assertArrayEquals(whole, payload(COLUMNS, writer -> write(writer, 200), size));
            RowReader reader = reader(COLUMNS, whole, size);
            for (int i = 0; i < 200; i++) {
                assertTrue(reader.next());
                assertEquals(i, reader.getLong(0));
                assertEquals(-i, reader.getInt(9));
                assertEquals(i % 2 == 0, reader.getBoolean(3));
                assertEquals((char) i, reader.getChar(6));
                assertEquals(i / 2f, reader.getFloat(7));
                assertEquals((byte) i, reader.getByte(8));
                assertEquals(i % 3 == 0, reader.isNull(1));
                if (i % 3 == 0) {
                    assertNull(reader.getText(2));
                    assertThrows(IllegalStateException.class, () -> reader.getDouble(1));
                } else {
                    assertEquals(i * 1.5, reader.getDouble(1));
                    assertEquals("row " + i + (i % 5 == 0 ? " \u4e2d" : ""), reader.getText(2));
                }
                assertEquals(i % 4 != 0, reader.isNull(4));
                assertArrayEquals(i % 4 == 0 ? new byte[] {(byte) i} : null, reader.getBytes(5));
            }
            assertFalse(reader.next());
            assertEquals(200, reader.rows());
        }
    }

    @Test
    void aColumnThatMayNotBeNullMustBeSet() {
        MalformedDataException e = assertThrows(
                MalformedDataException.class,
                () -> payload(
                        COLUMNS,
                        writer -> {
                            write(writer, 2);
                            writer.setLong(0, 1).next();
                        },
                        1_000));
        assertEquals("[2].flag: null where none may be", e.reason());
    }

    @Test
    void aColumnOfAnotherTypeIsRefusedAtOnce() throws IOException {
        payload(
                COLUMNS,
                writer -> {
                    IllegalArgumentException e =
                            assertThrows(IllegalArgumentException.class, () -> writer.setInt(0, 1));
                    assertEquals("column id is LONG, not INT", e.getMessage());
                },
                1_000);
    }

    @Test
    void columnsGoByNameAndAreWidened() throws IOException {
        byte[] payload = payload(COLUMNS, writer -> write(writer, 10), 100);
        Columns other = Columns.builder()
                .column("number", Columns.Type.DOUBLE)
                .nullableColumn("unheard", Columns.Type.TEXT)
                .nullableColumn("small", Columns.Type.LONG)
                .column("id", Columns.Type.LONG)
                .column("ratio", Columns.Type.DOUBLE)
                .build();
        RowReader reader = reader(other, payload, 9);
        for (int i = 0; i < 10; i++) {
            assertTrue(reader.next());
            assertEquals(-i, reader.getDouble(0));
            assertTrue(reader.isNull(1));
            assertEquals(i % 4 != 0, reader.isNull(2));
            assertEquals(i, reader.getLong(3));
            assertEquals(i / 2.0, reader.getDouble(4));
        }
        assertFalse(reader.next());
    }

    @Test
    void aColumnThatDoesNotFitIsNamed() throws IOException {
        byte[] payload = payload(COLUMNS, writer -> write(writer, 1), 100);
        Columns narrow = Columns.builder().column("id", Columns.Type.INT).build();
        assertEquals(
                "id: schema mismatch: written as long, read as int",
                assertThrows(MalformedDataException.class, () -> reader(narrow, payload, 100))
                        .reason());
        Columns more = Columns.builder().column("more", Columns.Type.INT).build();
        assertEquals(
                "more: schema mismatch: the rows were written without it",
                assertThrows(MalformedDataException.class, () -> reader(more, payload, 100))
                        .reason());
        Columns strict = Columns.builder().column("price", Columns.Type.DOUBLE).build();
        assertEquals(
                "price: schema mismatch: it may be missing as written, but not as read",
                assertThrows(MalformedDataException.class, () -> reader(strict, payload, 100))
                        .reason());
    }

    @Test
    void columnsStayAsTheyWereBuilt() throws IOException {
        Columns.Builder builder = Columns.builder().column("id", Columns.Type.LONG);
        Columns first = builder.build();
        builder.nullableColumn("more", Columns.Type.TEXT).build();
        byte[] payload = payload(first, writer -> writer.setLong(0, 5).next(), 100);
        RowReader reader = reader(first, payload, 100);
        assertTrue(reader.next());
        assertEquals(5, reader.getLong(0));
        assertFalse(reader.next());
    }

    @Test
    void afterARowThatCannotBeReadThereIsNoOther() throws IOException {
        byte[] payload = payload(COLUMNS, writer -> write(writer, 3), 100);
        RowReader reader = reader(COLUMNS, java.util.Arrays.copyOf(payload, payload.length - 1), 100);
        assertTrue(reader.next());
        assertTrue(reader.next());
        MalformedDataException e = assertThrows(MalformedDataException.class, reader::next);
        assertTrue(e.reason().startsWith("[2]."), e.reason());
        assertThrows(IllegalStateException.class, reader::next);
    }

    record Line(long id, @Nullable Double price, int number) {}

    @Test
    void rowsAreReadAsRecordsAndRecordsAsRows() throws IOException {
        Codec<Line> lines = Derivation.builder(MethodHandles.lookup()).build().of(Line.class);
        byte[] payload = payload(COLUMNS, writer -> write(writer, 3), 100);
        Iterator<Line> read = Codecs.each(lines).decode(Payloads.input(payload, 50, DecoderLimits.DEFAULT));
        assertEquals(new Line(0, null, 0), read.next());
        assertEquals(new Line(1, 1.5, -1), read.next());
        assertEquals(new Line(2, 3.0, -2), read.next());
        assertFalse(read.hasNext());

        byte[] back = Payloads.encode(
                Codecs.each(lines),
                List.of(new Line(7, 0.5, 8), new Line(8, null, 9)).iterator(),
                64);
        Columns columns = Columns.builder()
                .nullableColumn("price", Columns.Type.DOUBLE)
                .column("id", Columns.Type.LONG)
                .build();
        RowReader rows = reader(columns, back, 64);
        assertTrue(rows.next());
        assertEquals(0.5, rows.getDouble(0));
        assertEquals(7, rows.getLong(1));
        assertTrue(rows.next());
        assertTrue(rows.isNull(0));
        assertFalse(rows.next());
    }

    @Test
    void aTextAboveTheLimitIsRefusedAlsoWhereItLiesInOneBuffer() throws IOException {
        Columns columns = Columns.builder().column("text", Columns.Type.TEXT).build();
        byte[] payload =
                payload(columns, rows -> rows.setText(0, "a".repeat(100)).next(), 1_000);
        for (int buffer : new int[] {1, 1_000}) {
            RowReader reader =
                    columns.reader(Payloads.input(payload, buffer, DecoderLimits.DEFAULT.withValueBytes(99)));
            ResultTooLargeException e = assertThrows(ResultTooLargeException.class, reader::next);
            assertEquals("[0].text: value too large", e.reason());
            assertEquals(99, e.limit());
        }
    }
}
