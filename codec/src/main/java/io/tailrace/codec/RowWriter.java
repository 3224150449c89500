// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A cursor that writes rows: sets the columns of the row in hand, in any order, then {@link #next}. What was not set is null.
 *
 * <p><b>Threads.</b> One.
 */
public final class RowWriter {

    private final Columns columns;
    private final Out out;
    private final RecordLayout layout;
    private final byte[] marks;

    /** Numbers as they are, reals by their bits. */
    private final long[] numbers;

    private final @Nullable Object[] objects;
    private final boolean[] given;
    private long rows;

    RowWriter(Columns columns, Out out) {
        this.columns = columns;
        this.out = out;
        this.layout = new RecordLayout(columns.definition());
        this.marks = new byte[layout.markBytes()];
        this.numbers = new long[columns.count()];
        this.objects = new @Nullable Object[columns.count()];
        this.given = new boolean[columns.count()];
    }

    /** Rows written. */
    public long rows() {
        return rows;
    }

    private void set(int column, Columns.Type type, long bits) {
        require(column, type);
        numbers[column] = bits;
        given[column] = true;
    }

    private void require(int column, Columns.Type type) {
        if (columns.type(column) != type) {
            throw new IllegalArgumentException(
                    "column " + columns.name(column) + " is " + columns.type(column) + ", not " + type);
        }
    }

    public RowWriter setBoolean(int column, boolean value) {
        set(column, Columns.Type.BOOLEAN, value ? 1 : 0);
        return this;
    }

    public RowWriter setByte(int column, byte value) {
        set(column, Columns.Type.BYTE, value);
        return this;
    }

    public RowWriter setShort(int column, short value) {
        set(column, Columns.Type.SHORT, value);
        return this;
    }

    public RowWriter setChar(int column, char value) {
        set(column, Columns.Type.CHAR, value);
        return this;
    }

    public RowWriter setInt(int column, int value) {
        set(column, Columns.Type.INT, value);
        return this;
    }

    public RowWriter setLong(int column, long value) {
        set(column, Columns.Type.LONG, value);
        return this;
    }

    public RowWriter setFloat(int column, float value) {
        set(column, Columns.Type.FLOAT, Float.floatToRawIntBits(value));
        return this;
    }

    public RowWriter setDouble(int column, double value) {
        set(column, Columns.Type.DOUBLE, Double.doubleToRawLongBits(value));
        return this;
    }

    public RowWriter setText(int column, @Nullable String value) {
        require(column, Columns.Type.TEXT);
        objects[column] = value;
        given[column] = value != null;
        return this;
    }

    /** Large ones go by reference: they must not change until the result is sent. */
    public RowWriter setBytes(int column, byte @Nullable [] value) {
        require(column, Columns.Type.BYTES);
        objects[column] = value;
        given[column] = value != null;
        return this;
    }

    public RowWriter setNull(int column) {
        objects[column] = null;
        given[column] = false;
        return this;
    }

    /**
     * Writes the row in hand and begins the next, with nothing set.
     *
     * @throws MalformedDataException when a column that may not be null was not set; it names the row and the column
     */
    public void next() throws IOException {
        try {
            mark();
            out.wire.writeBytes(marks, 0, marks.length);
            for (int i = 0; i < given.length; i++) {
                if (given[i]) {
                    write(i, out.wire);
                }
            }
        } catch (Misfit e) {
            throw e.told(out.wire);
        }
        Arrays.fill(given, false);
        Arrays.fill(objects, null);
        rows++;
    }

    private void mark() throws IOException {
        Arrays.fill(marks, (byte) 0);
        for (int i = 0; i < given.length; i++) {
            int mark = layout.mark(i);
            if (mark >= 0 && given[i]) {
                marks[mark >>> 3] |= (byte) (1 << (mark & 7));
            } else if (mark < 0 && !given[i]) {
                throw Misfit.under(
                        Misfit.malformed("null where none may be", ResultException.NONE),
                        "[" + rows + "]." + columns.name(i));
            }
        }
    }

    @SuppressWarnings("NullAway") // what was given is there
    private void write(int column, WireOutput wire) throws IOException {
        long bits = numbers[column];
        switch (columns.type(column)) {
            case BOOLEAN, BYTE -> wire.writeByte((int) bits);
            case SHORT, CHAR -> wire.writeShort((int) bits);
            case INT, FLOAT -> wire.writeInt((int) bits);
            case LONG, DOUBLE -> wire.writeLong(bits);
            case TEXT -> Codecs.TEXT.write((String) objects[column], out);
            case BYTES -> Codecs.BYTES.write((byte[]) objects[column], out);
        }
    }
}
