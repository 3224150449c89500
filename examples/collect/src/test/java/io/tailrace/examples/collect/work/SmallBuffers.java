// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.work;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;

/** A payload in buffers so small that almost every row straddles two. */
final class SmallBuffers implements WireOutput.Next {

    private static final int BYTES = 128;

    private final Queue<ByteBuf> written = new ArrayDeque<>();
    private final WireOutput out = new WireOutput(this, 0);

    WireOutput out() {
        return out;
    }

    /** What was written, to be read once. */
    WireInput in() {
        ByteBuf last = out.take();
        if (last != null && last.isReadable()) {
            written.add(last);
        }
        return new WireInput(drained -> written.poll(), DecoderLimits.DEFAULT, null);
    }

    @Override
    public ByteBuf next(ByteBuf full) {
        if (full != null && full.isReadable()) {
            written.add(full);
        }
        return Unpooled.wrappedBuffer(new byte[BYTES]).writerIndex(0);
    }

    @Override
    public ByteBuf nextAfter(ByteBuf full, ByteBuffer body, ReferenceCounted owner) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean takesByReference(int length) {
        return false;
    }
}
