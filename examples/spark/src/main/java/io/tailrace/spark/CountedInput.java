// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value's bytes on their way into the serializer, counted, and read ahead: Java's serialisation reads most objects byte by
 * byte. What reading throws is kept, since serializers wrap exceptions in their own.
 */
final class CountedInput extends InputStream {

    private static final int AHEAD_BYTES = 8 << 10;

    private final InputStream in;
    private final StageTotals.Account account;
    private final byte[] ahead = new byte[AHEAD_BYTES];
    private int next;
    private int end;
    private long fetched;
    private @Nullable Throwable failure;

    CountedInput(InputStream in, StageTotals.Account account) {
        this.in = in;
        this.account = account;
    }

    /** What came of reading, if anything went wrong; not of what was read. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Bytes that were read from here. */
    long count() {
        return fetched - (end - next);
    }

    @Override
    public int read() throws IOException {
        return fill() ? ahead[next++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        if (next == end && length >= ahead.length) {
            return fetch(into, at, length);
        }
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int run = Math.min(length, end - next);
        System.arraycopy(ahead, next, into, at, run);
        next += run;
        return run;
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

    private int fetch(byte[] into, int at, int length) throws IOException {
        try {
            int read = in.read(into, at, length);
            if (read > 0) {
                fetched += read;
                account.add(read);
            }
            return read;
        } catch (Throwable e) {
            failure = e;
            throw e;
        }
    }

    /** 0 at the end alone, for which it may wait: {@code ObjectInputStream} believes it, and so do classes that read what is optional. */
    @Override
    public int available() throws IOException {
        return fill() ? end - next : 0;
    }

    @Override
    public void close() {}
}
