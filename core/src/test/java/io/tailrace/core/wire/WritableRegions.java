// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An output's port over bare heap buffers, whose regions are as long as the test asks: also shorter than the contract says, so
 * that everything meets an edge.
 *
 * <p><b>Ownership.</b> Owns every buffer given up to it and releases it at once. {@link #bytes} audits that each was released
 * exactly once, and that nothing was written outside its region.
 */
final class WritableRegions implements WireOutput.Next {

    private static final int HEADER_ROOM = 5;
    private static final int TAIL_ROOM = 3;
    private static final byte POISON = (byte) 0xA5;

    private final IntSupplier sizes;
    private final List<ByteBuf> made = new ArrayList<>();
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    final WireOutput out = new WireOutput(this, TAIL_ROOM);
    final List<Integer> runs = new ArrayList<>();
    final List<ByteBuffer> bodies = new ArrayList<>();
    int byReferenceFrom = Integer.MAX_VALUE;
    int calls;

    /** This call (the first is 0) and all later ones fail, after the buffer given up is released. */
    int failingFrom = Integer.MAX_VALUE;

    WritableRegions(IntSupplier sizes) {
        this.sizes = sizes;
    }

    WritableRegions(int size) {
        this(() -> size);
    }

    /** Ends the region and returns all that was written. */
    byte[] bytes() {
        collect(out.take());
        for (ByteBuf buffer : made) {
            assertEquals(0, buffer.refCnt(), "references to a buffer");
        }
        assertEquals(content.size(), out.written(), "written()");
        return content.toByteArray();
    }

    @Override
    public ByteBuf next(@Nullable ByteBuf written) throws IOException {
        collect(written);
        if (calls++ >= failingFrom) {
            throw new IOException("call " + (calls - 1) + " fails");
        }
        byte[] memory = new byte[HEADER_ROOM + sizes.getAsInt() + TAIL_ROOM];
        Arrays.fill(memory, POISON);
        ByteBuf fresh = Unpooled.wrappedBuffer(memory).writerIndex(HEADER_ROOM);
        made.add(fresh);
        return fresh;
    }

    @Override
    public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner)
            throws IOException {
        ByteBuf fresh = next(written);
        bodies.add(body);
        byte[] copy = new byte[body.remaining()];
        body.duplicate().get(copy);
        content.writeBytes(copy);
        return fresh;
    }

    @Override
    public boolean takesByReference(int length) {
        return length >= byReferenceFrom;
    }

    private void collect(@Nullable ByteBuf written) {
        if (written == null) {
            return;
        }
        byte[] memory = written.array();
        for (int i = 0; i < memory.length; i++) {
            if (i < HEADER_ROOM || i >= memory.length - TAIL_ROOM) {
                assertEquals(POISON, memory[i], "byte outside the region");
            }
        }
        int length = written.writerIndex() - HEADER_ROOM;
        content.write(memory, HEADER_ROOM, length);
        runs.add(length);
        assertEquals(true, written.release(), "last reference");
    }
}
