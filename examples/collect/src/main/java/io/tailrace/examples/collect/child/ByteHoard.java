// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Serialised bytes of any number, all in memory: what a task result is in stock mode, twice.
 *
 * <p>They lie in arrays of {@value #PIECE} bytes, as Spark's {@code ChunkedByteBuffer} has them; Spark's are of 1 MiB, which
 * G1 in a small heap treats as humongous and rounds up to two regions, so ours are kinder.
 */
final class ByteHoard implements AutoCloseable {

    static final int PIECE = 256 << 10;

    private final List<Piece> pieces = new ArrayList<>();
    private final HeldBytes held;
    private long length;

    ByteHoard(HeldBytes held) {
        this.held = held;
    }

    /** An array and how much of it is filled. */
    private static final class Piece {

        final byte[] bytes = new byte[PIECE];
        int filled;

        int room() {
            return bytes.length - filled;
        }
    }

    long length() {
        return length;
    }

    private Piece grow() {
        Piece piece = new Piece();
        held.add(PIECE);
        pieces.add(piece);
        return piece;
    }

    private Piece last() {
        Piece last = pieces.isEmpty() ? grow() : pieces.get(pieces.size() - 1);
        return last.room() > 0 ? last : grow();
    }

    private void fill(Piece piece, int count) {
        piece.filled += count;
        length += count;
    }

    /** Where a codec writes: the same codec as in tailrace mode, into memory that is kept. */
    WireOutput asWireOutput() {
        return new WireOutput(new Growth(), 0);
    }

    /** Counts what was written to the last piece through a wire output. */
    void complete(ByteBuf written) {
        fill(pieces.get(pieces.size() - 1), written.writerIndex());
        written.release();
    }

    private final class Growth implements WireOutput.Next {

        @Override
        public ByteBuf next(@Nullable ByteBuf written) {
            if (written != null) {
                complete(written);
            }
            return Unpooled.wrappedBuffer(grow().bytes).writerIndex(0);
        }

        @Override
        public ByteBuf nextAfter(@Nullable ByteBuf written, ByteBuffer body, @Nullable ReferenceCounted owner) {
            throw new UnsupportedOperationException("everything is copied here");
        }

        @Override
        public boolean takesByReference(int length) {
            return false;
        }
    }

    OutputStream asOutputStream() {
        return new OutputStream() {
            @Override
            public void write(int value) {
                Piece last = last();
                last.bytes[last.filled] = (byte) value;
                fill(last, 1);
            }

            @Override
            public void write(byte[] source, int from, int count) {
                for (int at = from; at < from + count; ) {
                    Piece last = last();
                    int run = Math.min(last.room(), from + count - at);
                    System.arraycopy(source, at, last.bytes, last.filled, run);
                    fill(last, run);
                    at += run;
                }
            }
        };
    }

    void writeTo(OutputStream out) throws IOException {
        for (Piece piece : pieces) {
            out.write(piece.bytes, 0, piece.filled);
        }
    }

    void writeTo(WritableByteChannel channel) throws IOException {
        for (Piece piece : pieces) {
            for (ByteBuffer rest = ByteBuffer.wrap(piece.bytes, 0, piece.filled); rest.hasRemaining(); ) {
                channel.write(rest);
            }
        }
    }

    void readFrom(ReadableByteChannel channel, long bytes) throws IOException {
        for (long left = bytes; left > 0; ) {
            Piece last = last();
            int count = channel.read(ByteBuffer.wrap(last.bytes, last.filled, (int) Math.min(left, last.room())));
            if (count < 0) {
                throw new EOFException("the connection ended " + left + " bytes before the result did");
            }
            fill(last, count);
            left -= count;
        }
    }

    void readFrom(InputStream in, long bytes) throws IOException {
        for (long left = bytes; left > 0; ) {
            Piece last = last();
            int count = in.read(last.bytes, last.filled, (int) Math.min(left, last.room()));
            if (count < 0) {
                throw new EOFException("the envelope ended " + left + " bytes before the value did");
            }
            fill(last, count);
            left -= count;
        }
    }

    InputStream asInputStream() {
        List<InputStream> streams = new ArrayList<>();
        for (Piece piece : pieces) {
            streams.add(new ByteArrayInputStream(piece.bytes, 0, piece.filled));
        }
        return new SequenceInputStream(Collections.enumeration(streams));
    }

    WireInput asWireInput() {
        Iterator<Piece> rest = pieces.iterator();
        return new WireInput(
                drained -> {
                    if (drained != null) {
                        drained.release();
                    }
                    if (!rest.hasNext()) {
                        return null;
                    }
                    Piece piece = rest.next();
                    return Unpooled.wrappedBuffer(piece.bytes).writerIndex(piece.filled);
                },
                DecoderLimits.DEFAULT,
                null);
    }

    @Override
    public void close() {
        clear();
    }

    /** Lets the bytes go. */
    void clear() {
        held.remove((long) pieces.size() * PIECE);
        pieces.clear();
        length = 0;
    }
}
