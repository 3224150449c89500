// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An input's port over a payload, cut into bare heap buffers as long as the test asks; every second buffer's array begins in
 * front of the buffer.
 *
 * <p><b>Ownership.</b> Owns every buffer given back to it and releases it at once. {@link #audit} checks that each was released
 * exactly once.
 */
final class ReadableRegions implements WireInput.Source {

    static final ResultId ID = new ResultId("job", 1, 2, 0);

    private final byte[] payload;
    private final IntSupplier sizes;
    private final List<ByteBuf> made = new ArrayList<>();
    private int position;

    final WireInput in;
    int calls;

    /** This call (the first is 0) and all later ones fail, after the buffer given back is released. */
    int failingFrom = Integer.MAX_VALUE;

    ReadableRegions(byte[] payload, IntSupplier sizes, DecoderLimits limits) {
        this.payload = payload;
        this.sizes = sizes;
        this.in = new WireInput(this, limits, ID);
    }

    ReadableRegions(byte[] payload, IntSupplier sizes) {
        this(payload, sizes, DecoderLimits.DEFAULT);
    }

    ReadableRegions(byte[] payload, int size) {
        this(payload, () -> size);
    }

    /** Ends the region, and checks that nothing is held any more. */
    void audit() {
        ByteBuf held = in.take();
        if (held != null) {
            held.release();
        }
        for (ByteBuf buffer : made) {
            assertEquals(0, buffer.refCnt(), "references to a buffer");
        }
    }

    @Override
    public @Nullable ByteBuf next(@Nullable ByteBuf drained) throws IOException {
        if (drained != null) {
            assertEquals(0, drained.readableBytes(), "bytes left");
            assertEquals(true, drained.release(), "last reference");
        }
        if (calls++ >= failingFrom) {
            throw new IOException("call " + (calls - 1) + " fails");
        }
        int length = Math.min(sizes.getAsInt(), payload.length - position);
        if (position == payload.length) {
            return null;
        }
        byte[] memory = new byte[4 + length + 4];
        System.arraycopy(payload, position, memory, 4, length);
        position += length;
        ByteBuf fresh = calls % 2 == 0 && length > 0
                ? Unpooled.wrappedBuffer(memory, 4, length)
                : Unpooled.wrappedBuffer(memory).setIndex(4, 4 + length);
        made.add(fresh);
        return fresh;
    }
}
