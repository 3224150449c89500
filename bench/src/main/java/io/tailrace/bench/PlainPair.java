// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.ResultReader;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FrameSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * A connection over loopback TCP for one result after another: a {@link ChannelSink} into a blocking channel, and a {@link
 * ResultReader} of another.
 *
 * <p><b>Threads.</b> One sends, and waits until the receiving thread has decoded the result.
 */
final class PlainPair implements BigResult.Sending, AutoCloseable {

    private static final int AHEAD_CHUNKS = 16;

    private final Encoding encoding;
    private final ChunkPool pool;
    private final FrameSink sink;
    private final SocketChannel accepted;
    private final Thread receiver;
    private final @Nullable Executor readingOn;
    private final BlockingQueue<BigResult<?>> expected = new LinkedBlockingQueue<>();
    private final BlockingQueue<Optional<Throwable>> outcomes = new LinkedBlockingQueue<>();

    /** @param readingOn reads ahead of the decoding thread; null has that do it */
    PlainPair(Encoding encoding, @Nullable Executor readingOn) throws IOException {
        this.encoding = encoding;
        this.readingOn = readingOn;
        pool = ChunkPool.builder()
                .chunkBytes(encoding.encoder().pool().chunkBytes())
                .build();
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            sink = ChannelSink.connection(SocketChannel.open(server.getLocalAddress()));
            accepted = server.accept();
        }
        receiver = new Thread(this::receiveAll, "plain receiver");
        receiver.setDaemon(true);
        receiver.start();
    }

    @Override
    public <E> ResultSummary send(BigResult<E> result) throws Exception {
        expected.put(result);
        ResultSummary summary = encoding.encoder().encode(TypedResult.ID, result.codec(), result.source(), sink);
        Optional<Throwable> thrown = outcomes.take();
        if (thrown.isPresent()) {
            throw new IOException("not received", thrown.get());
        }
        return summary;
    }

    private void receiveAll() {
        ResultReader.Builder settings = ResultReader.builder(pool).readingOn(readingOn);
        if (readingOn != null) {
            settings.window(AHEAD_CHUNKS);
        }
        try (ResultReader reader = settings.open(accepted)) {
            while (reader.nextResult()) {
                expected.take().receive(reader::decode);
                reader.finish();
                outcomes.put(Optional.empty());
            }
        } catch (Exception e) {
            outcomes.add(Optional.of(e));
        }
    }

    @Override
    public void close() throws IOException {
        sink.close();
        Ending.await("the receiver", (time, unit) -> {
            unit.timedJoin(receiver, time);
            return !receiver.isAlive();
        });
        accepted.close();
        pool.close();
    }
}
