// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A cursor that reads rows: {@link #next}, then the columns of the row in hand, by the reader's own numbers. Text and bytes of
 * the row are made when they are read.
 *
 * <p><b>Threads.</b> One, the result's decoding thread.
 */
public final class RowReader {

    private final Columns columns;
    private final Definition written;
    private final In in;
    private final RecordLayout layout;

    /** By the writer's columns: which of ours it is, or -1. */
    private final int[] ours;

    private final long[] numbers;
    private final TextSlot[] texts;
    private final @Nullable Object[] bytes;
    private final boolean[] given;
    private long rows;
    private boolean broken;

    RowReader(Columns columns, Definition written, In in) throws IOException {
        this.columns = columns;
        this.written = written;
        this.in = in;
        this.layout = new RecordLayout(written);
        this.ours = new int[written.size()];
        this.numbers = new long[columns.count()];
        this.texts = new TextSlot[columns.count()];
        Arrays.setAll(texts, i -> new TextSlot());
        this.bytes = new @Nullable Object[columns.count()];
        this.given = new boolean[columns.count()];
        for (int i = 0; i < ours.length; i++) {
            ours[i] = columns.column(written.member(i).name());
            if (ours[i] >= 0) {
                requireFits(i, ours[i]);
            }
        }
        for (int i = 0; i < columns.count(); i++) {
            if (!columns.nullable(i) && written.place(columns.name(i)) < 0) {
                throw Misfit.under(
                        Misfit.malformed("schema mismatch: the rows were written without it", 0), columns.name(i));
            }
        }
    }

    private void requireFits(int theirs, int column) throws IOException {
        try {
            if (written.shape(theirs).kind() == Kind.MAYBE && !columns.nullable(column)) {
                throw Misfit.malformed("schema mismatch: it may be missing as written, but not as read", 0);
            }
            Kind from = layout.bare(theirs).kind();
            Kind to = columns.type(column).kind;
            boolean widened = from.width > 0
                    && from != Kind.BOOLEAN
                    && from != Kind.CHAR
                    && switch (to) {
                        case SHORT -> from == Kind.BYTE;
                        case INT, FLOAT -> from == Kind.BYTE || from == Kind.SHORT;
                        case LONG -> from == Kind.BYTE || from == Kind.SHORT || from == Kind.INT;
                        case DOUBLE -> from != Kind.LONG;
                        default -> false;
                    };
            if (from != to && !widened) {
                throw Evolution.mismatch(layout.bare(theirs), Shape.of(to));
            }
        } catch (Misfit e) {
            throw Misfit.under(e, columns.name(column));
        }
    }

    /** Rows read. */
    public long rows() {
        return rows;
    }

    /** Reads the next row, waiting for it; false when there is none. */
    public boolean next() throws IOException {
        if (broken) {
            throw new IllegalStateException("an earlier row could not be read");
        }
        if (in.wire.exhausted()) {
            return false;
        }
        broken = true;
        Arrays.fill(given, false);
        Arrays.fill(bytes, null);
        try {
            in.row();
            byte[] marks = layout.readMarks(in);
            for (int i = 0; i < ours.length; i++) {
                if (layout.present(i, marks)) {
                    readColumn(i);
                }
            }
        } catch (IOException e) {
            throw Misfit.under(e, "[" + rows + "]").told(in.wire);
        }
        broken = false;
        rows++;
        return true;
    }

    private void readColumn(int theirs) throws IOException {
        int column = ours[theirs];
        try {
            if (column < 0) {
                Skip.value(layout.bare(theirs), in, Map.of());
            } else {
                read(layout.bare(theirs).kind(), column);
                given[column] = true;
            }
        } catch (IOException e) {
            throw Misfit.under(e, written.member(theirs).name());
        }
    }

    private void read(Kind from, int column) throws IOException {
        switch (from) {
            case BOOLEAN -> numbers[column] = in.wire.readBoolean() ? 1 : 0;
            case BYTE -> integer(column, in.wire.readByte());
            case SHORT -> integer(column, in.wire.readShort());
            case CHAR -> numbers[column] = in.wire.readChar();
            case INT -> integer(column, in.wire.readInt());
            case LONG -> integer(column, in.wire.readLong());
            case FLOAT -> real(column, in.wire.readFloat());
            case DOUBLE -> numbers[column] = in.wire.readLong();
            case TEXT -> texts[column].read(in);
            case BYTES -> bytes[column] = Codecs.BYTES.read(in);
            default -> throw new IllegalStateException("judged when the reader was made");
        }
    }

    private void integer(int column, long value) {
        Columns.Type to = columns.type(column);
        if (to == Columns.Type.FLOAT) {
            numbers[column] = Float.floatToRawIntBits((float) value);
        } else if (to == Columns.Type.DOUBLE) {
            numbers[column] = Double.doubleToRawLongBits((double) value);
        } else {
            numbers[column] = value;
        }
    }

    private void real(int column, float value) {
        numbers[column] = columns.type(column) == Columns.Type.DOUBLE
                ? Double.doubleToRawLongBits(value)
                : Float.floatToRawIntBits(value);
    }

    private long get(int column, Columns.Type type) {
        require(column, type);
        if (!given[column]) {
            throw new IllegalStateException("column " + columns.name(column) + " is null in this row");
        }
        return numbers[column];
    }

    private void require(int column, Columns.Type type) {
        if (columns.type(column) != type) {
            throw new IllegalArgumentException(
                    "column " + columns.name(column) + " is " + columns.type(column) + ", not " + type);
        }
    }

    public boolean isNull(int column) {
        return !given[column];
    }

    /** Throws IllegalStateException when it is null; so the others that give a number. */
    public boolean getBoolean(int column) {
        return get(column, Columns.Type.BOOLEAN) != 0;
    }

    public byte getByte(int column) {
        return (byte) get(column, Columns.Type.BYTE);
    }

    public short getShort(int column) {
        return (short) get(column, Columns.Type.SHORT);
    }

    public char getChar(int column) {
        return (char) get(column, Columns.Type.CHAR);
    }

    public int getInt(int column) {
        return (int) get(column, Columns.Type.INT);
    }

    public long getLong(int column) {
        return get(column, Columns.Type.LONG);
    }

    public float getFloat(int column) {
        return Float.intBitsToFloat((int) get(column, Columns.Type.FLOAT));
    }

    public double getDouble(int column) {
        return Double.longBitsToDouble(get(column, Columns.Type.DOUBLE));
    }

    /** Null when the column is. The string is made at the first call in a row. */
    public @Nullable String getText(int column) {
        require(column, Columns.Type.TEXT);
        return given[column] ? texts[column].text() : null;
    }

    /** Null when the column is; the caller's own. */
    public byte @Nullable [] getBytes(int column) {
        require(column, Columns.Type.BYTES);
        return (byte[]) bytes[column];
    }
}
