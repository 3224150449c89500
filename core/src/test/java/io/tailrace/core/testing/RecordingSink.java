// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A sink that keeps what it was given, chunk by chunk, and can be made to fail or to wait in front of any chunk.
 *
 * <p><b>Threads.</b> The result's sending thread writes; everybody may read the numbers.
 */
public final class RecordingSink implements FrameSink {

    /** Stands in front of every chunk, counted from 0 over the sink's life. */
    public interface Gate {

        /** What it throws, the sink throws; what it puts into {@code taken} counts as written before that. */
        void pass(int chunk, byte[] bytes, ByteArrayOutputStream taken) throws IOException;
    }

    private final Gate gate;
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private final List<Long> writes = new ArrayList<>();
    private int chunks;
    private int completions;
    private int writesAfterFailure;
    private boolean broken;

    public RecordingSink() {
        this((chunk, bytes, into) -> {});
    }

    public RecordingSink(Gate gate) {
        this.gate = gate;
        taken.writeBytes(FrameBatch.preamble(FrameBatch.Purpose.CONNECTION));
    }

    @Override
    public synchronized void write(FrameBatch batch) throws IOException {
        if (broken) {
            writesAfterFailure++;
            throw new IOException("this sink has failed before");
        }
        writes.add(batch.bytes());
        for (int i = 0; i < batch.size(); i++) {
            write(batch.get(i));
        }
    }

    private void write(Chunk chunk) throws IOException {
        if (chunk.refCnt() != 1) {
            throw new AssertionError("a chunk with " + chunk.refCnt() + " references was sent");
        }
        byte[] bytes = bytes(chunk);
        try {
            gate.pass(chunks, bytes, taken);
        } catch (Throwable e) {
            broken = true;
            throw e;
        }
        taken.writeBytes(bytes);
        chunks++;
    }

    private static byte[] bytes(Chunk chunk) {
        ByteBuffer body = chunk.body() == null ? ByteBuffer.allocate(0) : chunk.body();
        byte[] bytes = new byte[chunk.readableBytes() + body.remaining()];
        int own = chunk.readableBytes();
        chunk.getBytes(chunk.readerIndex(), bytes, 0, own);
        body.get(bytes, own, body.remaining());
        return bytes;
    }

    @Override
    public synchronized void complete() {
        completions++;
    }

    @Override
    public void close() {}

    /** Everything a receiver would get, the preamble in front. */
    public synchronized byte[] toByteArray() {
        return taken.toByteArray();
    }

    public synchronized List<SentFrame> frames() {
        return SentFrame.parse(taken.toByteArray());
    }

    public synchronized long terminalFrames() {
        return frames().stream().filter(SentFrame::terminal).count();
    }

    /** Bytes of each write. */
    public synchronized List<Long> writes() {
        return List.copyOf(writes);
    }

    /** Chunks taken whole. */
    public synchronized int chunks() {
        return chunks;
    }

    public synchronized int completions() {
        return completions;
    }

    /** How often the encoder wrote to a sink that had failed. */
    public synchronized int writesAfterFailure() {
        return writesAfterFailure;
    }
}
