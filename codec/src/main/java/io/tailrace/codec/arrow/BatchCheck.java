// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.WireInput;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BaseLargeVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.types.pojo.ArrowType.ArrowTypeID;
import org.jspecify.annotations.Nullable;

/**
 * Checks what a batch tells of its body, before its vectors are given parts of it: afterwards a vector that holds fewer values
 * than it is told to would allocate as many, and offsets would be believed. Walks the vectors as Arrow's loader does, a column's
 * node and buffers in front of its children's.
 *
 * <p>Takes a look at each offset, of text, lists and the like, but at no other value.
 */
final class BatchCheck {

    /** The vector, and the kinds and children that it has for good. */
    private record Column(FieldVector vector, ArrowTypeID type, List<Column> children) {

        static Column of(FieldVector vector) {
            FieldVector stored = vector;
            while (stored instanceof ExtensionTypeVector<?> extension) {
                stored = (FieldVector) extension.getUnderlyingVector();
            }
            List<Column> children = new ArrayList<>();
            for (FieldVector child : stored.getChildrenFromFields()) {
                children.add(of(child));
            }
            return new Column(stored, stored.getField().getType().getTypeID(), children);
        }

        int nodes() {
            return 1 + children.stream().mapToInt(Column::nodes).sum();
        }
    }

    /** Instead of where the marks of nulls are. */
    private static final long ALL = -1;

    private static final long NONE = -2;

    private final WireInput in;
    private final List<Column> columns = new ArrayList<>();
    private final int nodes;
    private final FieldNode node = new FieldNode();
    private final Buffer buffer = new Buffer();

    private RecordBatch batch = new RecordBatch();
    private @Nullable ArrowBuf body;
    private long bodyLength;
    private int nodesRead;
    private int buffersRead;
    private int variadicRead;
    private long bytesTold;
    private long bytesMissing;

    /** The buffer that was looked at last, in the body. */
    private long offset;

    private long length;

    BatchCheck(List<FieldVector> vectors, WireInput in) {
        this.in = in;
        for (FieldVector vector : vectors) {
            columns.add(Column.of(vector));
        }
        this.nodes = columns.stream().mapToInt(Column::nodes).sum();
    }

    void check(@Nullable RecordBatch told, ArrowBuf toldBody, long toldLength) throws MalformedDataException {
        if (told == null) {
            throw malformed("batch without its metadata");
        }
        batch = told;
        body = toldBody;
        bodyLength = toldLength;
        nodesRead = 0;
        buffersRead = 0;
        variadicRead = 0;
        bytesTold = 0;
        bytesMissing = 0;
        require(batch.length() >= 0 && batch.length() <= Integer.MAX_VALUE, "batch of a length that no vector has");
        require(batch.compression() == null, "compressed body");
        require(batch.nodesLength() == nodes, "batch of other columns than its schema");
        for (Column column : columns) {
            require(values(column) == batch.length(), "column of other length than its batch");
        }
        require(buffersRead == batch.buffersLength(), "batch of more buffers than its columns have");
        require(variadicRead == batch.variadicBufferCountsLength(), "batch of more counts than its columns have");
        body = null;
    }

    /**
     * Checks what comes on top of the one column, before {@link #check}. Arrow's appender never gets room enough for some nested
     * values, and adds up counts and bytes in ints, which it believes.
     */
    void checkAdded(@Nullable RecordBatch told, long toldLength) throws MalformedDataException {
        FieldVector vector = columns.get(0).vector;
        require(
                vector instanceof BaseFixedWidthVector
                        || vector instanceof BaseVariableWidthVector
                        || vector instanceof BaseLargeVariableWidthVector
                        || vector instanceof BaseVariableWidthViewVector,
                "addition to a dictionary of nested values");
        long bytes = toldLength;
        for (ArrowBuf held : vector.getBuffers(false)) {
            bytes += held.capacity();
        }
        long rows = vector.getValueCount() + (told == null ? 0 : told.length());
        require(bytes <= Integer.MAX_VALUE && rows <= Integer.MAX_VALUE, "additions to a dictionary too large");
    }

    /** Checks the column, and returns how many values it holds. */
    private int values(Column column) throws MalformedDataException {
        batch.nodes(node, nodesRead++);
        long count = node.length();
        long nulls = node.nullCount();
        require(count >= 0 && count <= Integer.MAX_VALUE, "column of a length that no vector has");
        require(nulls >= -1 && nulls <= count, "column of more nulls than values");
        switch (column.type) {
            case Null -> {}
            case RunEndEncoded -> runs(column, count);
            case Union -> union(column, count);
            default -> {
                nextBuffer();
                validity(count, nulls);
                stored(column, count, length > 0 ? offset : nulls == 0 ? ALL : NONE);
            }
        }
        return (int) count;
    }

    private void stored(Column column, long count, long marks) throws MalformedDataException {
        switch (column.type) {
            case Utf8, Binary -> text(offsets(count, Integer.BYTES));
            case LargeUtf8, LargeBinary -> text(offsets(count, Long.BYTES));
            case Utf8View, BinaryView -> views(count, marks);
            case List, Map -> children(column, offsets(count, Integer.BYTES));
            case LargeList -> children(column, offsets(count, Long.BYTES));
            case ListView -> children(column, spans(count, Integer.BYTES));
            case LargeListView -> children(column, spans(count, Long.BYTES));
            case FixedSizeList -> children(column, count * ((FixedSizeListVector) column.vector).getListSize());
            case Struct -> {
                for (Column child : column.children) {
                    require(values(child) == count, "part of a struct of another length");
                }
            }
            default -> fixedWidth(column, count);
        }
    }

    private void fixedWidth(Column column, long count) throws MalformedDataException {
        nextBuffer();
        if (column.vector instanceof BitVector) {
            require(length >= (count + 7) / 8, "bits that are too few");
        } else {
            int width = ((BaseFixedWidthVector) column.vector).getTypeWidth();
            require(width >= 0 && count * width <= length, "values that are too few");
        }
    }

    /** Arrow makes one where there is none, if it can tell what it holds. */
    private void validity(long count, long nulls) throws MalformedDataException {
        long bytes = (count + 7) / 8;
        if (length == 0) {
            require(nulls == 0 || nulls == count, "nulls that are not marked");
            bytesMissing += bytes;
            require(bytesMissing <= bodyLength + WireInput.AHEAD_MAX, "rows that are not there");
        } else {
            require(length >= bytes, "marks of nulls that are too few");
        }
    }

    /** Offsets that never fall; returns the last. */
    private long offsets(long count, int width) throws MalformedDataException {
        nextBuffer();
        if (count == 0) {
            return 0;
        }
        require((count + 1) * width <= length, "offsets that are too few");
        long last = 0;
        for (long i = 0; i <= count; i++) {
            long next = number(offset + i * width, width);
            if (next < last) {
                throw malformed("offset " + next + " behind " + last);
            }
            last = next;
        }
        return last;
    }

    /** Offsets and sizes; returns where the last of them ends. */
    private long spans(long count, int width) throws MalformedDataException {
        nextBuffer();
        long from = offset;
        require(count * width <= length, "offsets that are too few");
        nextBuffer();
        require(count * width <= length, "sizes that are too few");
        long end = 0;
        for (long i = 0; i < count; i++) {
            long first = number(from + i * width, width);
            long size = number(offset + i * width, width);
            require(first >= 0 && size >= 0 && first + size >= 0, "list that begins or ends below zero");
            end = Math.max(end, first + size);
        }
        return end;
    }

    private void text(long end) throws MalformedDataException {
        nextBuffer();
        require(end <= length, "text behind its buffer");
    }

    private void children(Column column, long least) throws MalformedDataException {
        int held = values(column.children.get(0));
        require(least <= held, "elements that are too few");
    }

    private void views(long count, long marks) throws MalformedDataException {
        nextBuffer();
        long views = offset;
        require(count * 16 <= length, "views that are too few");
        require(variadicRead < batch.variadicBufferCountsLength(), "views whose buffers are not counted");
        long variadic = batch.variadicBufferCounts(variadicRead++);
        require(
                variadic >= 0 && variadic <= batch.buffersLength() - buffersRead,
                "views of more buffers than there are");
        int first = buffersRead;
        for (int i = 0; i < variadic; i++) {
            nextBuffer();
        }
        for (long i = 0; i < count; i++) {
            if (!marked(marks, i)) {
                continue; // Arrow leaves anything there
            }
            long at = views + 16 * i;
            long size = number(at, Integer.BYTES);
            require(size >= 0, "view of less than nothing");
            if (size > 12) {
                long number = number(at + 8, Integer.BYTES);
                long from = number(at + 12, Integer.BYTES);
                require(
                        number >= 0
                                && number < variadic
                                && from >= 0
                                && from + size
                                        <= batch.buffers(buffer, first + (int) number)
                                                .length(),
                        "view outside its buffer");
            }
        }
    }

    private boolean marked(long marks, long index) {
        return marks >= 0 ? (bytes().getByte(marks + index / 8) >> index % 8 & 1) != 0 : marks == ALL;
    }

    private void union(Column column, long count) throws MalformedDataException {
        nextBuffer();
        long types = offset;
        require(count <= length, "types that are too few");
        if (!(column.vector instanceof DenseUnionVector dense)) {
            for (Column child : column.children) {
                require(values(child) == count, "part of a union of another length");
            }
            return;
        }
        nextBuffer();
        long places = offset;
        require(count * Integer.BYTES <= length, "offsets that are too few");
        int[] held = new int[Byte.MAX_VALUE + 1];
        for (Column child : column.children) {
            int values = values(child);
            for (int type = 0; type < held.length; type++) {
                if (dense.getVectorByType((byte) type) == child.vector) {
                    held[type] = values;
                }
            }
        }
        int[] told = new int[held.length];
        for (long i = 0; i < count; i++) {
            byte type = bytes().getByte(types + i);
            if (type == -1) {
                continue; // Arrow's own mark of null
            }
            long place = number(places + i * Integer.BYTES, Integer.BYTES);
            require(
                    type >= 0 && place >= 0 && place < held[type] && ++told[type] <= held[type],
                    "member of a union that is not there");
        }
    }

    private void runs(Column column, long count) throws MalformedDataException {
        Column ends = column.children.get(0);
        int runs = values(ends);
        long from = offset; // the last buffer of a column without children is its values
        require(values(column.children.get(1)) == runs, "runs and values of other lengths");
        require(ends.vector instanceof BaseIntVector, "runs that end in no number");
        int width = ((BaseFixedWidthVector) ends.vector).getTypeWidth();
        long last = 0;
        for (long i = 0; i < runs; i++) {
            long end = number(from + i * width, width);
            require(end > last, "run that ends in front of itself");
            last = end;
        }
        require(last >= count, "runs that are too few");
    }

    private long number(long at, int width) {
        return switch (width) {
            case Byte.BYTES -> bytes().getByte(at);
            case Short.BYTES -> bytes().getShort(at);
            case Integer.BYTES -> bytes().getInt(at);
            default -> bytes().getLong(at);
        };
    }

    private ArrowBuf bytes() {
        ArrowBuf known = body;
        if (known == null) {
            throw new IllegalStateException("no batch is being checked");
        }
        return known;
    }

    /** Goes to the next buffer, which lies in the body; all together are no longer than that. */
    private void nextBuffer() throws MalformedDataException {
        require(buffersRead < batch.buffersLength(), "batch of fewer buffers than its columns have");
        batch.buffers(buffer, buffersRead++);
        offset = buffer.offset();
        length = buffer.length();
        require(
                offset >= 0 && length >= 0 && offset <= bodyLength && length <= bodyLength - offset,
                "buffer outside its body");
        bytesTold += length;
        require(bytesTold <= bodyLength, "buffers that overlap");
    }

    private void require(boolean holds, String otherwise) throws MalformedDataException {
        if (!holds) {
            throw malformed(otherwise);
        }
    }

    private MalformedDataException malformed(String reason) {
        return new MalformedDataException(reason, in.position(), in.resultId());
    }
}
