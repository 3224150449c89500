// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.chunk.Chunk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A sink into an {@link OutputStream} of the caller's. Chunks are arrays, so nothing is copied on the way.
 *
 * <p><b>Ownership.</b> The stream is flushed when a result is complete, and closed with this sink.
 */
public final class StreamSink implements FrameSink {

    private final OutputStream stream;
    private byte @Nullable [] preamble;
    private @Nullable Throwable broken;

    /** For a fresh stream: its first bytes will be the preamble. */
    public StreamSink(OutputStream stream, FrameBatch.Purpose purpose) {
        this.stream = stream;
        this.preamble = FrameBatch.preamble(purpose);
    }

    @Override
    public void write(FrameBatch batch) throws IOException {
        if (broken != null) {
            throw new IOException("an earlier write to this stream failed", broken);
        }
        try {
            byte[] first = preamble;
            if (first != null) {
                preamble = null;
                stream.write(first);
            }
            for (int i = 0; i < batch.size(); i++) {
                write(batch.get(i));
            }
        } catch (Throwable e) {
            broken = e;
            throw e;
        }
    }

    @Override
    public void complete() throws IOException {
        try {
            stream.flush();
        } catch (Throwable e) {
            broken = e; // what a buffering stream held may be out in part
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }

    private void write(Chunk chunk) throws IOException {
        stream.write(chunk.array(), chunk.arrayOffset() + chunk.readerIndex(), chunk.readableBytes());
        ByteBuffer body = chunk.body();
        if (body == null) {
            return;
        }
        if (body.hasArray()) {
            stream.write(body.array(), body.arrayOffset() + body.position(), body.remaining());
            return;
        }
        // The carrier's own slab is free behind its header: room to copy a direct body through.
        ByteBuf room = chunk.setIndex(0, 0);
        while (body.hasRemaining()) {
            int part = Math.min(body.remaining(), room.capacity());
            body.get(room.array(), room.arrayOffset(), part);
            stream.write(room.array(), room.arrayOffset(), part);
        }
    }
}
