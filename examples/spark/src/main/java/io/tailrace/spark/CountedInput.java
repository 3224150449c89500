// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A value's bytes on their way into the serializer, counted. What reading throws is kept, since serializers wrap exceptions in
 * their own.
 */
final class CountedInput extends FilterInputStream {

    private final StageTotals.Account account;
    private @Nullable Throwable failure;
    private long count;

    CountedInput(InputStream in, StageTotals.Account account) {
        super(in);
        this.account = account;
    }

    /** What came of reading, if anything went wrong; not of what was read. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    long count() {
        return count;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
        try {
            int read = in.read(into, at, length);
            if (read > 0) {
                count += read;
                account.add(read);
            }
            return read;
        } catch (Throwable e) {
            failure = e;
            throw e;
        }
    }

    @Override
    public long skip(long count) throws IOException {
        return 0; // what is not read is not counted
    }

    @Override
    public void close() {}
}
