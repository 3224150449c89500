// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** Reads an array, as a socket would be read: as much at once as is asked for. */
final class ArrayChannel implements ReadableByteChannel {

    private final ByteBuffer left;

    ArrayChannel(byte[] bytes) {
        left = ByteBuffer.wrap(bytes);
    }

    @Override
    public int read(ByteBuffer into) {
        int length = Math.min(into.remaining(), left.remaining());
        if (length == 0) {
            return -1;
        }
        into.put(left.slice(left.position(), length));
        left.position(left.position() + length);
        return length;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {
        // Nothing to close.
    }
}
