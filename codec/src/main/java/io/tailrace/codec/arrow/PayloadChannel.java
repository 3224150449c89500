// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.netty.util.ReferenceCounted;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** Where Arrow's writer writes: metadata is copied, bodies go by reference. Once closed, it takes all and writes nothing. */
final class PayloadChannel implements WritableByteChannel {

    private final WireOutput out;
    private @Nullable ReferenceCounted owner;
    private boolean open = true;

    PayloadChannel(WireOutput out) {
        this.out = out;
    }

    /** Whose the bodies are that are written from now on; null where none are. */
    void bodiesOf(@Nullable ReferenceCounted nextOwner) {
        owner = nextOwner;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int length = source.remaining();
        if (!open) {
            source.position(source.limit());
        } else if (source.isDirect()) {
            out.writeOutOfBand(source, owner);
        } else {
            out.writeBytes(source); // the writer's own, which it uses again
        }
        return length;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
    }
}
