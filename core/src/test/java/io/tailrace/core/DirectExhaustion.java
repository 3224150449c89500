// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.MemorySink;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** A process whose direct memory is spent by somebody else: what needs some fails, says so, and works again afterwards. */
final class DirectExhaustion {

    private static final ResultId ID = new ResultId("direct", 1, 1, 0);
    private static final Sample VALUE = new Sample(8, 200_000);

    private final ChunkPool pool = ChunkPool.builder()
            .chunkBytes(64 << 10)
            .budgetBytes(1 << 20)
            .paranoid(true)
            .build();
    private final ResultEncoder encoder = ResultEncoder.builder(pool).build();

    private DirectExhaustion() {}

    public static void main(String[] args) throws Exception {
        new DirectExhaustion().run();
    }

    private void run() throws Exception {
        List<ByteBuffer> hoard = hoard();
        System.out.println("failedRetriably=" + (sendingFails() ? 1 : 0));
        System.out.println("readerRefusedRetriably=" + (readingIsRefused() ? 1 : 0));
        MemorySink beside = new MemorySink(FrameBatch.Purpose.FILE);
        encoder.encode(ID, Sample.CODEC, VALUE, beside); // needs none
        require(pool.liveBytes() == 0, pool.report());
        hoard.clear();
        System.gc();
        boolean whole = Received.all(pool, beside.toByteArray()).get(0).complete();
        System.out.println("othersWentOn=" + (whole ? 1 : 0));
        byte[] sent = send();
        System.out.println("recovered=" + (Received.all(pool, sent).get(0).complete() ? 1 : 0));
        require(pool.freeBytes() == pool.budgetBytes(), "a reserve was kept");
        pool.close();
    }

    private static List<ByteBuffer> hoard() {
        List<ByteBuffer> hoard = new ArrayList<>();
        // Each failure costs half a second, in which the JDK waits for the collector to free some.
        for (int size : new int[] {1 << 20, 16 << 10, 1}) {
            try {
                while (true) {
                    hoard.add(ByteBuffer.allocateDirect(size));
                }
            } catch (OutOfMemoryError e) {
                require(!hoard.isEmpty(), "no direct memory from the start");
            }
        }
        return hoard;
    }

    private boolean sendingFails() throws Exception {
        try {
            send();
            return false;
        } catch (ResultFailedException e) {
            require(e.getCause() instanceof OutOfMemoryError, e.toString());
            require(e.failure().phase() == FailurePhase.SINK, e.toString());
            return e.retriable();
        } finally {
            require(pool.liveBytes() == 0, pool.report());
            require(pool.freeBytes() == pool.budgetBytes(), "a reserve was kept");
        }
    }

    private boolean readingIsRefused() throws IOException {
        try {
            ResultReader.builder(pool)
                    .open(Channels.newChannel(new ByteArrayInputStream(new byte[0])))
                    .close();
            return false;
        } catch (BudgetExhaustedException e) {
            return e.retriable();
        } finally {
            require(pool.freeBytes() == pool.budgetBytes(), "a reserve was kept");
        }
    }

    /** Over a connection of its own. */
    private byte[] send() throws Exception {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            Thread receiver = new Thread(() -> {
                try (Socket socket = server.socket().accept()) {
                    socket.getInputStream().transferTo(read);
                } catch (IOException | OutOfMemoryError e) {
                    System.out.println("receiver: " + e); // a socket's stream needs direct memory too
                }
            });
            receiver.start();
            try (ChannelSink sink = ChannelSink.connection(SocketChannel.open(server.getLocalAddress()))) {
                encoder.encode(ID, Sample.CODEC, VALUE, sink);
            }
            receiver.join();
        }
        return read.toByteArray();
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
