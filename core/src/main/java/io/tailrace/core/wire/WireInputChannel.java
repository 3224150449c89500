// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** A payload as a channel, with the short reads of the stream. Closing does nothing: it stays open. */
final class WireInputChannel implements ReadableByteChannel {

    private final WireInput in;

    WireInputChannel(WireInput in) {
        this.in = in;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!target.hasRemaining()) {
            return 0;
        }
        if (in.exhausted()) {
            return -1;
        }
        int run = Math.min(target.remaining(), in.limit() - in.offset());
        target.put(in.array(), in.offset(), run);
        in.commit(in.offset() + run);
        return run;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}
}
