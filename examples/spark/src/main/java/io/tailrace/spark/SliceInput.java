// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * The slices of {@link ArraySlices}, one at a time: it ends where the slice does, so that a serializer may read ahead.
 *
 * <p><b>Threads.</b> One thread.
 */
final class SliceInput extends InputStream {

    private static final int AHEAD_BYTES = 32 << 10;

    private final InputStream from;
    private final byte[] ahead = new byte[AHEAD_BYTES];
    private int next;
    private int end;

    /** Of the piece, and not in {@code ahead}. */
    private int left;

    private boolean last = true;

    SliceInput(InputStream from) {
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
        do {
            next = end;
        } while (fill());
    }

    /** False at the end of the slice. */
    private boolean fill() throws IOException {
        if (next < end) {
            return true;
        }
        if (!findBytes()) {
            return false;
        }
        end = readSome(ahead, 0, ahead.length);
        next = 0;
        return true;
    }

    private boolean findBytes() throws IOException {
        while (left == 0 && !last) {
            int count = readInt();
            last = count < 0;
            left = count & ~ArraySlices.LAST;
        }
        return left > 0;
    }

    private int readSome(byte[] into, int at, int length) throws IOException {
        int read = from.read(into, at, Math.min(length, left));
        if (read < 0) {
            throw new EOFException("an array ends in a slice");
        }
        left -= read;
        return read;
    }

    @Override
    public int read() throws IOException {
        return fill() ? ahead[next++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        if (length == 0) {
            return 0;
        }
        if (next == end && length >= ahead.length) {
            return findBytes() ? readSome(into, at, length) : -1;
        }
        if (!fill()) {
            return -1;
        }
        int run = Math.min(length, end - next);
        System.arraycopy(ahead, next, into, at, run);
        next += run;
        return run;
    }

    /** 0 at the end of the slice alone: {@code ObjectInputStream} believes it, and so do classes that read what is optional. */
    @Override
    public int available() throws IOException {
        return fill() ? end - next : 0;
    }

    @Override
    public void close() {}
}
