// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import io.tailrace.core.chunk.Chunk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A sink into an {@link OutputStream} of the caller's. Chunks are arrays, so nothing is copied on the way.
 *
 * <p><b>Ownership.</b> The stream is flushed when a result is complete, and closed with this sink.
 *
 * <p><b>Threads.</b> One sending thread at a time; the owner closes after the last result's end.
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
            stream.flush(); // a batch is what may wait no longer, a failure's last frame included
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
        ByteBuffer rest = body.duplicate();
        int room = chunk.arrayOffset() + chunk.writerIndex();
        while (rest.hasRemaining()) {
            int part = Math.min(rest.remaining(), chunk.writableBytes());
            rest.get(chunk.array(), room, part);
            stream.write(chunk.array(), room, part);
        }
    }
}
