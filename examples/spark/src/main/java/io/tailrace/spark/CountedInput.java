// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A value's bytes on their way into the serializer, counted. What reading throws is kept, since serializers wrap exceptions in
 * their own.
 */
final class CountedInput extends ReadAhead {

    private static final int AHEAD_BYTES = 8 << 10;

    private final InputStream in;
    private final StageTotals.Account account;
    private long fetched;
    private @Nullable Throwable failure;

    CountedInput(InputStream in, StageTotals.Account account) {
        super(AHEAD_BYTES);
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
        return fetched - unread();
    }

    @Override
    int fetch(byte[] into, int at, int length) throws IOException {
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
}
