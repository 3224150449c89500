// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Where a serializer writes the slices of {@link ArraySlices}: each in as many pieces as it takes, since nobody knows before how
 * long it is.
 *
 * <p><b>Threads.</b> The task's.
 */
final class SliceOutput extends OutputStream {

    private static final int PIECE_BYTES = 32 << 10;

    private final OutputStream to;
    private final ByteBuffer piece = ByteBuffer.allocate(Integer.BYTES + PIECE_BYTES);
    private long sliceBytes;

    SliceOutput(OutputStream to) {
        this.to = to;
        piece.position(Integer.BYTES);
    }

    @Override
    public void write(int value) throws IOException {
        if (!piece.hasRemaining()) {
            writePiece(0);
        }
        piece.put((byte) value);
        sliceBytes++;
    }

    @Override
    public void write(byte[] from, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, from.length);
        sliceBytes += length;
        if (length > piece.remaining()) {
            writePiece(0);
        }
        if (length <= piece.remaining()) {
            piece.put(from, at, length);
            return;
        }
        to.write(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
        to.write(from, at, length);
    }

    private void writePiece(int mark) throws IOException {
        piece.putInt(0, (piece.position() - Integer.BYTES) | mark);
        to.write(piece.array(), 0, piece.position());
        piece.position(Integer.BYTES);
    }

    /** Returns the bytes of the slice. */
    long endSlice() throws IOException {
        writePiece(ArraySlices.LAST);
        long bytes = sliceBytes;
        sliceBytes = 0;
        return bytes;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
