// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;

/**
 * A sink that keeps the wire bytes as a copy in memory: for tests, small results and caches. What it holds is outside
 * any pool, and grows with the result.
 *
 * <p><b>Threads.</b> One sending thread at a time; any thread reads what has been written.
 */
public final class MemorySink implements FrameSink {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final StreamSink sink;

    /** An empty one, whose bytes begin with that preamble once a result is written. */
    public MemorySink(FrameBatch.Purpose purpose) {
        sink = new StreamSink(bytes, purpose);
    }

    @Override
    public void write(FrameBatch batch) throws IOException {
        sink.write(batch);
    }

    /** A copy of all bytes so far. */
    public byte[] toByteArray() {
        return bytes.toByteArray();
    }

    /** Reads a copy of all bytes so far. */
    public ReadableByteChannel openChannel() {
        return Channels.newChannel(new ByteArrayInputStream(bytes.toByteArray()));
    }

    @Override
    public long outsideBytes() {
        return bytes.size();
    }

    @Override
    public void close() {
        // Memory is the collector's.
    }
}
