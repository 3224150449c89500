// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What writing allocates, chunk after chunk, also where nothing is compiled yet. */
final class SteadyStateTest {

    private static final int CHUNK = 4096;
    private static final int CHUNKS = 1000;

    private interface Writing {
        void to(WireOutput out) throws IOException;
    }

    @Test
    void numbersTextAndBytesAllocateNothing() throws IOException {
        String text = "a\u00E9\u20AC\uD83D\uDE00".repeat(40);
        byte[] bytes = new byte[100];
        long[] few = new long[BulkWriter.FEW];
        assertAllocates(0, out -> {
            out.writeByte(1);
            out.writeLong(2);
            out.writeDouble(3);
            out.writeVarLong(4);
            out.writeUtf8("short");
            out.writeUtf8(text);
            out.writeBytes(bytes, 0, bytes.length);
            out.writeLongs(few, 0, few.length);
        });
    }

    /** The views that a bulk copy goes through are kept with their slabs. */
    @Test
    void arraysAllocateNothing() throws IOException {
        long[] longs = new long[3000];
        assertAllocates(0, out -> out.writeLongs(longs, 0, longs.length));
    }

    private static void assertAllocates(long mostPerChunk, Writing writing) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Ring ring = new Ring(Unpooled.wrappedBuffer(new byte[CHUNK]));
        WireOutput out = new WireOutput(ring, 0);
        writing.to(out);
        int from = ring.given;
        long before = threads.getCurrentThreadAllocatedBytes();
        while (ring.given - from < CHUNKS) {
            writing.to(out);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        // The slack is for what the JVM itself allocates in this thread, once.
        assertTrue(
                allocated <= mostPerChunk * (ring.given - from) + CHUNK,
                allocated + " bytes for " + (ring.given - from) + " chunks");
        out.take();
        ring.buffer.release();
    }

    /** One buffer again and again. */
    private static final class Ring implements WireOutput.Next {

        private final ByteBuf buffer;
        private int given;

        Ring(ByteBuf buffer) {
            this.buffer = buffer;
        }

        @Override
        public ByteBuf next(@Nullable ByteBuf written) {
            given++;
            return buffer.clear();
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
            throw new AssertionError("takes nothing by reference");
        }

        @Override
        public boolean takesByReference(int length) {
            return false;
        }
    }
}
