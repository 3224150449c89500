// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.sink.ChannelSink;
import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.NettyMemory;
import io.tailrace.core.sink.NettySink;
import io.tailrace.core.sink.StreamSink;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

/**
 * A process that sends results in three ways at once while somebody else takes all direct memory, and later gives it back:
 * what needs some fails and says so, the others go on, and in the end all works again.
 */
final class DirectExhaustion {

    private static final int CHUNK = 64 << 10;
    private static final int WINDOW = 16;
    private static final int WORKERS_A_WAY = 2;
    private static final ResultId ID = new ResultId("direct", 1, 1, 0);
    private static final Sample VALUE = new Sample(8, 256 << 10);

    /** How a result leaves. */
    private enum Way {
        SOCKET,
        NETTY,
        HEAP
    }

    private final ChunkPool pool =
            ChunkPool.builder().chunkBytes(CHUNK).budgetBytes(16 << 20).build();
    private final ResultEncoder encoder =
            ResultEncoder.builder(pool).window(WINDOW).build();
    private final NettyMemory memory = NettyMemory.forChunks(CHUNK);
    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final AtomicReference<Throwable> unexpected = new AtomicReference<>();
    private volatile boolean working = true;

    private DirectExhaustion() {}

    public static void main(String[] args) throws Exception {
        try {
            new DirectExhaustion().run();
        } catch (Throwable e) {
            e.printStackTrace(System.out);
            System.exit(1); // whatever still runs
        }
    }

    private void run() throws Exception {
        List<Worker> workers = new ArrayList<>();
        for (Way way : Way.values()) {
            for (int i = 0; i < WORKERS_A_WAY; i++) {
                workers.add(new Worker(way));
            }
        }
        workers.forEach(Thread::start);
        awaitMore(workers, worker -> worker.complete.get());
        Hog hog = new Hog();
        hog.start();
        await(() -> hog.total, "a total hog");
        int[] complete = numbers(workers, worker -> worker.complete.get());
        int[] failed = numbers(workers, worker -> worker.failed.get());
        await(() -> of(Way.NETTY, workers, worker -> worker.failed.get(), failed) > 0, "a failure through Netty");
        if (Runtime.version().feature() < 25) { // which no longer counts what its channels copy through
            await(() -> of(Way.SOCKET, workers, worker -> worker.failed.get(), failed) > 0, "a failure of a socket");
        }
        await(() -> of(Way.HEAP, workers, worker -> worker.complete.get(), complete) > 10, "others that go on");
        // A task's own memory may have come back just now: until the hog has that, too, readers may open.
        await(this::readingIsRefused, "a reader's refusal");
        System.out.println("readerRefusedRetriably=1");
        System.out.println("socketsFailed=" + of(Way.SOCKET, workers, worker -> worker.failed.get(), failed));
        System.out.println("nettyFailed=" + of(Way.NETTY, workers, worker -> worker.failed.get(), failed));
        System.out.println("othersComplete=" + of(Way.HEAP, workers, worker -> worker.complete.get(), complete));
        hog.end();
        awaitMore(workers, worker -> worker.complete.get());
        System.out.println("recovered=1");
        working = false;
        for (Worker worker : workers) {
            worker.join();
            await(() -> worker.received.get() == worker.complete.get(), "what was sent whole");
            worker.close();
        }
        loops.shutdownGracefully().sync();
        memory.close();
        require(unexpected.get() == null, "" + unexpected.get());
        require(pool.freeBytes() == pool.budgetBytes(), "a reserve was kept");
        pool.close();
    }

    /** What workers of a way have counted since. */
    private static int of(Way way, List<Worker> workers, ToIntFunction<Worker> count, int[] since) {
        int sum = 0;
        for (int i = 0; i < since.length; i++) {
            sum += workers.get(i).way == way ? count.applyAsInt(workers.get(i)) - since[i] : 0;
        }
        return sum;
    }

    private static int[] numbers(List<Worker> workers, ToIntFunction<Worker> count) {
        return workers.stream().mapToInt(count).toArray();
    }

    private void awaitMore(List<Worker> workers, ToIntFunction<Worker> count) throws InterruptedException {
        int[] before = numbers(workers, count);
        for (int i = 0; i < before.length; i++) {
            Worker worker = workers.get(i);
            int enough = before[i] + 3;
            await(() -> count.applyAsInt(worker) >= enough, "results of " + worker.way);
        }
    }

    private void await(BooleanSupplier holds, String what) throws InterruptedException {
        long deadline = System.nanoTime() + 15_000_000_000L;
        while (!holds.getAsBoolean()) {
            require(unexpected.get() == null, what + " did not come: " + unexpected.get());
            require(System.nanoTime() < deadline, what + " did not come");
            Thread.sleep(2);
        }
    }

    private boolean readingIsRefused() {
        try {
            ResultReader.builder(pool)
                    .open(Channels.newChannel(new ByteArrayInputStream(new byte[0])))
                    .close();
            return false;
        } catch (BudgetExhaustedException e) {
            require(e.retriable(), e.toString());
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Takes all direct memory that the JVM gives, and all that Netty does, which may count by itself; again and again. */
    private static final class Hog extends Thread {
        private final List<ByteBuffer> jvms = new ArrayList<>();
        private final List<ByteBuf> nettys = new ArrayList<>();
        private final PooledByteBufAllocator netty =
                new PooledByteBufAllocator(true, 0, 1, 8 << 10, 6, 0, 0, false); // regions of 512 KiB, as in our memory
        private volatile boolean total;
        private volatile boolean ended;

        @Override
        public void run() {
            while (!ended) {
                // Each failure costs half a second, in which the JDK waits for the collector to free some.
                fill(() -> jvms.add(ByteBuffer.allocateDirect(1 << 20)));
                fill(() -> jvms.add(ByteBuffer.allocateDirect(16 << 10)));
                fill(() -> nettys.add(netty.directBuffer(512 << 10)));
                total = true;
            }
        }

        private void fill(Runnable take) {
            try {
                while (!ended) {
                    take.run();
                }
            } catch (OutOfMemoryError e) {
                // full
            }
        }

        void end() throws InterruptedException {
            ended = true;
            join();
            jvms.clear();
            nettys.forEach(ByteBuf::release);
            System.gc();
        }
    }

    /** Sends one result after another, each over a connection of its own, and receives them. */
    private final class Worker extends Thread implements AutoCloseable {
        private final Way way;
        private final AtomicInteger complete = new AtomicInteger();
        private final AtomicInteger failed = new AtomicInteger();
        private final AtomicInteger received = new AtomicInteger();
        private final ServerSocketChannel server = ServerSocketChannel.open();
        private final SocketAddress address;
        private final ByteBuffer room = ByteBuffer.allocateDirect(64 << 10); // before there is none

        Worker(Way way) throws IOException {
            this.way = way;
            server.setOption(StandardSocketOptions.SO_RCVBUF, 16 << 10);
            address = server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .getLocalAddress();
            new Thread(() -> tellUnexpected(this::receiveAll)).start();
        }

        @Override
        public void run() {
            tellUnexpected(() -> {
                while (working) {
                    // A thread of its own: the JDK keeps the memory that it copies through for each thread.
                    Thread task = new Thread(() -> tellUnexpected(this::one));
                    task.start();
                    task.join();
                }
            });
        }

        private void one() throws Exception {
            try {
                switch (way) {
                    case SOCKET -> {
                        try (ChannelSink sink = ChannelSink.connection(SocketChannel.open(address))) {
                            encoder.encode(ID, Sample.CODEC, VALUE, sink);
                        }
                    }
                    case NETTY -> throughNetty();
                    case HEAP -> {
                        OutputStream nowhere = OutputStream.nullOutputStream();
                        encoder.encode(ID, Sample.CODEC, VALUE, new StreamSink(nowhere, FrameBatch.Purpose.FILE));
                        received.incrementAndGet();
                    }
                }
                complete.incrementAndGet();
            } catch (ResultFailedException e) {
                require(way != Way.HEAP, e.toString());
                require(e.retriable(), e.toString());
                require(e.failure().phase() == FailurePhase.SINK, e.toString());
                Throwable root = e.getCause() instanceof IOException io ? io.getCause() : e.getCause();
                require(root instanceof OutOfMemoryError, e + ", for " + root);
                failed.incrementAndGet();
            }
        }

        private void throughNetty() throws Exception {
            Channel channel = new Bootstrap()
                    .group(loops)
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.SO_SNDBUF, 64 << 10)
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(4 << 20, 8 << 20))
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(address)
                    .sync()
                    .channel();
            try (NettySink sink = NettySink.open(channel, memory, WINDOW)) {
                encoder.encode(ID, Sample.CODEC, VALUE, sink);
            } finally {
                channel.close().sync();
            }
        }

        private void receiveAll() throws Exception {
            try {
                while (true) {
                    try (SocketChannel channel = server.accept()) {
                        Thread.sleep(20); // so that more is inside Netty than one region of its memory holds
                        receive(channel);
                    }
                }
            } catch (ClosedChannelException e) {
                // closed behind the last one
            }
        }

        private void receive(SocketChannel channel) throws IOException {
            try (ResultDecoder decoder = ResultReader.builder(pool).decoder(new Counting(received), () -> {})) {
                while (channel.read(room.clear()) >= 0) {
                    require(decoder.accept(room.flip()), "nobody keeps a chunk");
                }
                decoder.endOfInput();
            } catch (ResultException e) {
                // of a result that failed
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }

    private interface Task {
        void run() throws Exception;
    }

    private void tellUnexpected(Task task) {
        try {
            task.run();
        } catch (Throwable e) {
            e.printStackTrace(System.out);
            unexpected.compareAndSet(null, e);
        }
    }

    /** Counts the results that arrived whole. */
    private record Counting(AtomicInteger whole) implements ResultListener {
        @Override
        public void onOpen(ResultId id, String codecId) {}

        @Override
        public void onPayload(ByteBuf payload) {}

        @Override
        public void onTrailer(ByteBuf trailer) {}

        @Override
        public void onEnd(ResultSummary summary) {
            whole.incrementAndGet();
        }

        @Override
        public void onFailure(ResultId id, ResultException failure) {}
    }
}
