// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.ByeReason;
import io.tailrace.core.frame.ControlWriter;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.HelloBody;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.frame.Preamble;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One real end of a connection, and a test in the place of the other. */
final class Tapped implements Link, Connection.Events {

    static final int CHUNK = 512;
    static final long INITIAL = 2 * CHUNK;
    static final MuxSettings SETTINGS = new MuxSettings(
            "end",
            4,
            2,
            INITIAL,
            4,
            0,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            MuxSettings.MANY_RESULTS);

    /** What it wrote, frame by frame, by kind. */
    final List<FrameKind> told = new ArrayList<>();

    /** Whose regions it wrote, in order. */
    final List<Long> streams = new ArrayList<>();

    final Connection connection;
    boolean opened;
    boolean closesAtOnce;
    boolean closed;
    String reason = "";

    @Nullable
    IOException cause;

    private @Nullable ChunkWindow coalescing;

    private Tapped(Function made) {
        connection = made.apply(this);
        connection.start(new byte[32], new byte[0]);
    }

    /** Runs what is for now at once, and forgets what is for later. */
    private static final class Direct implements Loop {
        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void executeSoon(Runnable task) {}
    }

    private interface Function {
        Connection apply(Tapped link);
    }

    static Tapped server(Host host, ChunkPool pool, @Nullable Proofs proofs) {
        return new Tapped(link -> Connection.server(link, () -> 1, new Direct(), SETTINGS, proofs, link, host, pool));
    }

    static Tapped client(ChunkPool pool, @Nullable Proofs proofs) {
        ChunkWindow small = pool.openWithoutWaiting("small", 2, 0);
        Tapped client = new Tapped(link ->
                Connection.client(link, () -> 1, new Direct(), SETTINGS, proofs, link, CHUNK, small, Starving.WAITS));
        client.coalescing = small;
        return client;
    }

    ChunkWindow coalescing() {
        ChunkWindow window = coalescing;
        if (window == null) {
            throw new IllegalStateException("not a client");
        }
        return window;
    }

    /** What the peer sends, in one piece. */
    void receive(ByteBuf bytes) {
        byte[] sent = new byte[bytes.readableBytes()];
        bytes.readBytes(sent);
        connection.received(ByteBuffer.wrap(sent));
        connection.receivedAll();
    }

    void receive(Consumer<ByteBuf> frames) {
        ByteBuf bytes = Unpooled.buffer();
        frames.accept(bytes);
        receive(bytes);
    }

    void greet(boolean asServer, boolean proves, int chunk) {
        receive(into -> {
            into.writeBytes(Preamble.MULTIPLEXED.bytes());
            hello(into, asServer, proves, chunk);
        });
    }

    static void hello(ByteBuf into, boolean asServer, boolean proves, int chunk) {
        ControlWriter.hello(
                into, HelloBody.of(asServer, proves, chunk, asServer ? INITIAL : 0, 0, new byte[32], "peer"));
    }

    static void credit(ByteBuf into, long stream, long bytes) {
        ControlWriter.credit(into, new long[] {stream}, new long[] {bytes}, 1);
    }

    static FrameSealer open(ByteBuf into, long stream) {
        FrameSealer sealer = new FrameSealer(stream);
        sealer.appendOpen(into, opening(stream));
        return sealer;
    }

    static OpenBody opening(long stream) {
        return new OpenBody(CHUNK, 0, new ResultId("job", 0, stream, 0), "tap/1");
    }

    /** A data frame of so many bytes, header included. */
    static void data(ByteBuf into, FrameSealer sealer, int frameBytes) {
        int header = into.writerIndex();
        into.writeZero(frameBytes);
        sealer.seal(into, header, FrameKind.DATA);
    }

    @Override
    public void write(Departure frames) {
        if (!(frames instanceof Region region)) {
            throw new AssertionError("nothing is spilled");
        }
        streams.add(region.streamAt(region.from()));
        note(region.chunk().array(), region.chunk().arrayOffset() + region.from(), region.length());
        region.release();
    }

    @Override
    public void write(ByteBuf frame) {
        int preamble =
                frame.getByte(frame.readerIndex()) == Preamble.MULTIPLEXED.bytes()[0] ? 16 : 0;
        note(frame.array(), frame.arrayOffset() + preamble, frame.readableBytes() - preamble);
        frame.release();
    }

    private void note(byte[] array, int from, int length) {
        for (int at = from; at < from + length; at += FrameLayout.HEADER_LENGTH + wire(array, at)) {
            told.add(FrameHeader.kind(array, at));
        }
    }

    private static int wire(byte[] array, int at) {
        return FrameHeader.wireLength(array, at);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public void opened(String peer) {
        opened = true;
        if (closesAtOnce) {
            connection.close(ByeReason.DONE, "");
        }
    }

    @Override
    public void closed(String why, @Nullable IOException of) {
        reason = why;
        cause = of;
    }
}
