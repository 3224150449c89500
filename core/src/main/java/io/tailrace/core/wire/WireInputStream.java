// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * A payload as a stream. Reads are short at the end of a region, so that none waits while it has something to give; closing
 * does nothing.
 */
final class WireInputStream extends InputStream {

    private final WireInput in;

    WireInputStream(WireInput in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        return in.exhausted() ? -1 : in.readByte() & 0xFF;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, target.length);
        if (length == 0) {
            return 0;
        }
        if (in.exhausted()) {
            return -1;
        }
        int run = Math.min(length, available());
        in.readBytes(target, from, run);
        return run;
    }

    @Override
    public long skip(long count) throws IOException {
        if (count <= 0 || in.exhausted()) {
            return 0;
        }
        long run = Math.min(count, available());
        in.skip(run);
        return run;
    }

    @Override
    public int available() {
        return in.limit() - in.offset();
    }
}
