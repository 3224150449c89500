// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * Reads ahead: Java's serialisation reads most objects byte by byte.
 *
 * <p><b>Threads.</b> One thread.
 */
abstract sealed class ReadAhead extends InputStream permits CountedInput, SliceInput {

    private final byte[] ahead;
    private int next;
    private int end;

    ReadAhead(int bytes) {
        ahead = new byte[bytes];
    }

    /** Reads some bytes; returns −1 at the end. */
    abstract int fetch(byte[] into, int at, int length) throws IOException;

    /** Bytes that were fetched, and not read from here. */
    final int unread() {
        return end - next;
    }

    /** Passes over all that is left. */
    final void skipRest() throws IOException {
        do {
            next = end;
        } while (fill());
    }

    /** False at the end. */
    private boolean fill() throws IOException {
        if (next == end) {
            int read = fetch(ahead, 0, ahead.length);
            next = 0;
            end = Math.max(0, read);
        }
        return next < end;
    }

    @Override
    public final int read() throws IOException {
        return fill() ? ahead[next++] & 0xFF : -1;
    }

    @Override
    public final int read(byte[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        if (length == 0) {
            return 0;
        }
        if (next == end && length >= ahead.length) {
            return fetch(into, at, length);
        }
        if (!fill()) {
            return -1;
        }
        int run = Math.min(length, end - next);
        System.arraycopy(ahead, next, into, at, run);
        next += run;
        return run;
    }

    /** 0 at the end alone, for which it may wait: {@code ObjectInputStream} believes it, and so do classes that read what is optional. */
    @Override
    public final int available() throws IOException {
        return fill() ? end - next : 0;
    }

    @Override
    public final void close() {}
}
