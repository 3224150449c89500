// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * The slices of {@link ArraySlices}, one at a time: it ends where the slice does, so that a serializer may read ahead.
 *
 * <p><b>Threads.</b> One thread.
 */
final class SliceInput extends ReadAhead {

    private static final int AHEAD_BYTES = 32 << 10;

    private final InputStream from;

    /** Of the piece, and not fetched. */
    private int left;

    private boolean last = true;

    SliceInput(InputStream from) {
        super(AHEAD_BYTES);
        this.from = from;
    }

    /** What stands between slices. */
    int readInt() throws IOException {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            int read = from.read();
            if (read < 0) {
                throw new EOFException("an array ends before all of its elements are here");
            }
            value = value << Byte.SIZE | read;
        }
        return value;
    }

    void beginSlice() {
        last = false;
    }

    /** Passes over what the serializer has left. */
    void endSlice() throws IOException {
        skipRest();
    }

    @Override
    int fetch(byte[] into, int at, int length) throws IOException {
        if (!findBytes()) {
            return -1;
        }
        int read = from.read(into, at, Math.min(length, left));
        if (read < 0) {
            throw new EOFException("an array ends in a slice");
        }
        left -= read;
        return read;
    }

    /** False at the end of the slice. */
    private boolean findBytes() throws IOException {
        while (left == 0 && !last) {
            int count = readInt();
            last = count < 0;
            left = count & ~ArraySlices.LAST;
        }
        return left > 0;
    }
}
