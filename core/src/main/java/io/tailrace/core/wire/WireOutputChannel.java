// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** A payload as a channel, which takes all bytes of each write. Closing does nothing: it stays open. */
final class WireOutputChannel implements WritableByteChannel {

    private final WireOutput out;

    WireOutputChannel(WireOutput out) {
        this.out = out;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int length = source.remaining();
        out.writeBytes(source);
        return length;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}
}
