// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.testing.FrameBytes;
import io.tailrace.core.wire.ResultFate;
import io.tailrace.core.wire.ResultFate.Verdict;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One end of a connection, over a link in memory, in the test's own thread: it is told what a peer says, and looked at. */
final class OneEnd implements Host, Connection.Events, AutoCloseable {

    static final byte[] SECRET = new byte[16];
    static final int CHUNK = 512;
    static final MuxSettings SETTINGS = new MuxSettings(
            "end", 4, 4, 2 * CHUNK, 2, 1_000, 10_000, 5_000, 50_000, Long.MAX_VALUE, MuxSettings.MANY_RESULTS);

    final HeldLink link = new HeldLink();
    /** Results let in, and how much was read of them; −1 before their opening was. */
    final Map<Arriving, Long> decoding = new LinkedHashMap<>();

    final Proofs proofs = new Proofs(SECRET);
    final Connection connection;
    final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

    /** What the loop is to do a little later. */
    final ArrayDeque<Runnable> laterTasks = new ArrayDeque<>();

    private final boolean server;
    private final ChunkWindow window;
    private long sent;
    long now = 1;
    int admitted;

    /** Of the result sent last, if it was to be gathered with others. */
    CompletableFuture<ResultFate> lastFate = new CompletableFuture<>();

    boolean refuses;

    @Nullable
    String ended;

    @Nullable
    IOException cause;

    private final @Nullable Overflow overflow;

    private OneEnd(boolean server, MuxSettings settings, @Nullable Overflow overflow, ChunkPool pool) {
        this.server = server;
        this.overflow = overflow;
        window = pool.openWithoutWaiting("results", 4, 0);
        Loop loop = new Loop() {
            @Override
            public void execute(Runnable task) {
                tasks.add(task);
            }

            @Override
            public void executeSoon(Runnable task) {
                laterTasks.add(task);
            }
        };
        connection = server
                ? Connection.server(link, () -> now, loop, settings, proofs, this, this, pool)
                : Connection.client(
                        link,
                        () -> now,
                        loop,
                        settings,
                        proofs,
                        this,
                        CHUNK,
                        pool.openWithoutWaiting("small results", 2, 0),
                        Starving.WAITS);
        connection.start(new byte[32], new byte[0]);
    }

    static OneEnd server(ChunkPool pool) {
        return new OneEnd(true, SETTINGS, null, pool);
    }

    /** One whose results go there when their readers stand still. */
    static OneEnd spilling(MuxSettings settings, Overflow overflow, ChunkPool pool) {
        return new OneEnd(true, settings, overflow, pool);
    }

    static OneEnd client(ChunkPool pool) {
        return new OneEnd(false, SETTINGS, null, pool);
    }

    /** The peer's greeting, and its proof. */
    void admit() {
        tell(FrameBytes.multiplexed().preamble());
        byte[] hello = hello();
        tell(hello);
        byte[] proof = proofs.of(!server, server ? hello : link.hello, server ? link.hello : hello, new byte[0]);
        tell(frame(into -> ControlWriter.proof(into, proof)));
        runTasks();
    }

    byte[] hello() {
        return frame(into -> ControlWriter.hello(
                into, HelloBody.of(!server, true, CHUNK, server ? 0 : 2 * CHUNK, 1_000, new byte[32], "peer")));
    }

    static byte[] frame(Consumer<ByteBuf> writer) {
        ByteBuf into = Unpooled.buffer(256);
        writer.accept(into);
        return ByteBufUtil.getBytes(into);
    }

    void tell(byte[] bytes) {
        connection.received(ByteBuffer.wrap(bytes));
        connection.receivedAll();
    }

    void tell(FrameBytes frames) {
        tell(FrameBytes.join(frames.frames()));
    }

    void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    void runLaterTasks() {
        for (Runnable task = laterTasks.poll(); task != null; task = laterTasks.poll()) {
            task.run();
        }
    }

    /** Takes what has come of the results, as decoding threads would. */
    void decodeSome() {
        for (Map.Entry<Arriving, Long> each : decoding.entrySet()) {
            each.getKey().start();
            each.setValue(read(each.getKey(), each.getValue()));
        }
        runTasks();
    }

    /** The opening comes first, and is not counted; frames that have come can be had without waiting. */
    private static long read(Arriving result, long read) {
        long now = read;
        try {
            if (now < 0) {
                result.next();
                now = 0;
            }
            while (now < result.arrivedBytes()) {
                ByteBuffer part = result.next();
                if (part == null) {
                    return now;
                }
                now += part.remaining();
            }
        } catch (IOException e) {
            result.giveBack(); // it was lost
        }
        return now;
    }

    void settleFirst(ResultFate fate) {
        for (Arriving each : decoding.keySet()) {
            if (each.settle(fate, null)) {
                return;
            }
        }
    }

    /** A small result, whose sender asks that it be gathered with others. */
    Outgoing sendWhole(int payload) throws IOException {
        Chunk chunk = Chunk.loose(CHUNK);
        lastFate = new CompletableFuture<>();
        Outgoing result = open(chunk, payload, lastFate);
        if (!result.offerWhole(chunk)) {
            throw new IllegalStateException("not gathered");
        }
        chunk.release();
        return result;
    }

    /** All of its frames are in the chunk. */
    private Outgoing open(Chunk chunk, int payload, CompletableFuture<ResultFate> fate) {
        FrameBytes frames = FrameBytes.multiplexed()
                .nextStreamId(++sent)
                .open()
                .data(new byte[payload])
                .end();
        chunk.writeBytes(FrameBytes.join(frames.frames()));
        return connection.sender().open(sent, new ResultId("etl", 3, 7, 0), -1, fate);
    }

    /** A small result, not waiting for anything; false when there is no chunk for it. */
    boolean send(int payload) throws IOException {
        Chunk chunk = window.tryAcquire();
        if (chunk == null) {
            return false;
        }
        Outgoing result = open(chunk, payload, new CompletableFuture<>());
        result.offer(chunk);
        chunk.release();
        return true;
    }

    @Override
    public boolean admit(Arriving result) {
        if (refuses) {
            result.settle(new ResultFate(Verdict.REFUSED, "refused", true), null);
            return false;
        }
        admitted++;
        return true;
    }

    @Override
    public void decode(Arriving result) {
        decoding.put(result, -1L);
    }

    @Override
    public void lost(Arriving result) {}

    @Override
    public int takeShare(int chunks) {
        return chunks;
    }

    @Override
    public void giveShare(int chunks) {}

    @Override
    public @Nullable Overflow overflow() {
        return overflow;
    }

    @Override
    public void opened(String peer) {}

    @Override
    public void closed(String reason, @Nullable IOException why) {
        ended = reason;
        cause = why;
    }

    @Override
    public void close() {
        connection.lost(null);
        decoding.keySet().forEach(Arriving::close);
        runTasks();
        window.close();
        proofs.close();
    }
}
