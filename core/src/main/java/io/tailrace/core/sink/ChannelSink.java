// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.SelectableChannel;
import org.jspecify.annotations.Nullable;

/**
 * A sink into a blocking channel of the caller's: a socket, a pipe, a file.
 *
 * <p>Chunks lie in heap memory: the JDK copies each write into direct memory that it caches per sending thread, which
 * {@link #outsideBytes} counts as the largest write so far.
 *
 * <p><b>Ownership.</b> The channel is closed with this sink.
 *
 * <p><b>Threads.</b> One sending thread at a time. Any thread closes, which wakes a blocked write where the channel's close
 * does, and reads {@link #outsideBytes}.
 */
public final class ChannelSink implements FrameSink {

    private final GatheringByteChannel channel;
    private final ByteBuffer preamble;
    private volatile long largestWrite;
    private @Nullable Throwable broken;

    private ChannelSink(GatheringByteChannel channel, FrameBatch.Purpose purpose) {
        if (channel instanceof SelectableChannel selectable && !selectable.isBlocking()) {
            throw new IllegalBlockingModeException();
        }
        this.channel = channel;
        this.preamble = ByteBuffer.wrap(FrameBatch.preamble(purpose));
    }

    /**
     * For a fresh connection.
     *
     * @throws IllegalBlockingModeException when the channel is not in blocking mode
     */
    public static ChannelSink connection(GatheringByteChannel channel) {
        return new ChannelSink(channel, FrameBatch.Purpose.CONNECTION);
    }

    /** For an empty file, or anything that will be kept as one. */
    public static ChannelSink file(GatheringByteChannel channel) {
        return new ChannelSink(channel, FrameBatch.Purpose.FILE);
    }

    /** How many results follow one another here is the caller's choice: each brings its own end. */
    @Override
    public void write(FrameBatch batch) throws IOException {
        if (broken != null) {
            throw new IOException("an earlier write to this channel failed", broken);
        }
        try {
            while (preamble.hasRemaining()) {
                progress(channel.write(preamble));
            }
            writeAll(batch);
        } catch (Throwable e) {
            broken = e;
            throw e;
        }
    }

    @Override
    public long outsideBytes() {
        return largestWrite;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void writeAll(FrameBatch batch) throws IOException {
        largestWrite = Math.max(largestWrite, batch.bytes());
        long left = batch.bytes();
        int count = batch.bufferCount();
        @Nullable ByteBuffer[] buffers = batch.buffers();
        int first = 0;
        while (left > 0) {
            if (first == count) {
                throw new IOException(left + " bytes of the frames are not in their views");
            }
            left -= progress(channel.write(buffers, first, count - first));
            while (first < count && !hasRemaining(buffers[first])) {
                first++;
            }
        }
    }

    private static boolean hasRemaining(@Nullable ByteBuffer buffer) {
        return buffer != null && buffer.hasRemaining();
    }

    /** A blocking channel may write a part; one that says it is at its end will never write the rest. */
    private static long progress(long written) throws ClosedChannelException {
        if (written < 0) {
            throw new ClosedChannelException();
        }
        return written;
    }
}
