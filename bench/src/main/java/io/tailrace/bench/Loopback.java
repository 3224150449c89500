// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.locks.LockSupport;

/**
 * A connection over loopback TCP whose receiver reads in gulps of 256 KiB and drops them.
 *
 * <p><b>Threads.</b> One sends, and counts what it sent, or has a sending thread do so and waits for its end; the receiver
 * alone writes {@code received}, which the first reads.
 */
final class Loopback implements AutoCloseable {

    private static final int GULP = 256 << 10;
    private static final int PREAMBLE_BYTES = FrameBatch.preamble(FrameBatch.Purpose.CONNECTION).length;

    private final SocketChannel channel;
    private final SocketChannel accepted;
    private final FrameSink sink;
    private final Thread receiver;
    private final ByteBuffer copied = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
    private volatile long received;
    private long sent;

    Loopback() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            channel = SocketChannel.open(server.getLocalAddress());
            accepted = server.accept();
        }
        sink = new CountingSink(ChannelSink.connection(channel));
        receiver = new Thread(this::drop, "receiver");
        receiver.setDaemon(true);
        receiver.start();
    }

    FrameSink sink() {
        return sink;
    }

    /** Counts what others write to the connection; closing it closes nothing. */
    WritableByteChannel channel() {
        return new WritableByteChannel() {
            @Override
            public int write(ByteBuffer source) throws IOException {
                int written = channel.write(source);
                sent += written;
                return written;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {
                // It is used again.
            }
        };
    }

    /** The floor: so many bytes out of one direct buffer, in writes of that many. */
    long sendRaw(long bytes, ByteBuffer block) throws IOException {
        for (long left = bytes; left > 0; left -= block.capacity()) {
            block.clear().limit((int) Math.min(left, block.capacity()));
            while (block.hasRemaining()) {
                channel.write(block);
            }
        }
        sent += bytes;
        return awaitReceived();
    }

    /** What no encoder escapes: so many bytes copied out of an array and sent, in writes of so many bytes. */
    long copyAndSend(long[] values, int blockBytes) throws IOException {
        int run = blockBytes / Long.BYTES;
        for (int at = 0; at < values.length; at += run) {
            int length = Math.min(run, values.length - at);
            copied.clear().limit(length * Long.BYTES);
            copied.asLongBuffer().put(values, at, length);
            while (copied.hasRemaining()) {
                channel.write(copied);
            }
        }
        sent += (long) values.length * Long.BYTES;
        return awaitReceived();
    }

    /** The same out of an array of bytes. */
    long copyAndSend(byte[] bytes, int blockBytes) throws IOException {
        for (int at = 0; at < bytes.length; at += blockBytes) {
            copied.clear()
                    .put(bytes, at, Math.min(blockBytes, bytes.length - at))
                    .flip();
            while (copied.hasRemaining()) {
                channel.write(copied);
            }
        }
        sent += bytes.length;
        return awaitReceived();
    }

    /** Waits until the receiver has seen all that was sent. */
    long awaitReceived() {
        while (received < sent) {
            LockSupport.parkNanos(20_000); // no spinning: it would take the receiver's time
        }
        return received;
    }

    private void drop() {
        ByteBuffer gulp = ByteBuffer.allocateDirect(GULP);
        try {
            long all = 0;
            for (int read = accepted.read(gulp); read >= 0; read = accepted.read(gulp.clear())) {
                all += read;
                received = all;
            }
        } catch (IOException e) {
            received = Long.MAX_VALUE; // nobody shall wait for more
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        accepted.close();
    }

    /** Counts what goes to the connection, the preamble included. */
    private final class CountingSink implements FrameSink {
        private final FrameSink to;
        private boolean begun;

        CountingSink(FrameSink to) {
            this.to = to;
        }

        @Override
        public void write(FrameBatch batch) throws IOException {
            sent += batch.bytes() + (begun ? 0 : PREAMBLE_BYTES);
            begun = true;
            to.write(batch);
        }

        @Override
        public void close() throws IOException {
            to.close();
        }
    }
}
