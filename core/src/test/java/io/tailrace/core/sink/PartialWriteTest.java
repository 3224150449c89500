// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tailrace.core.ResultEncoder;
import io.tailrace.core.ResultWriter;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.LeakAudit;
import io.tailrace.core.testing.Received;
import io.tailrace.core.testing.Sample;
import io.tailrace.core.wire.ResultFailedException;
import io.tailrace.core.wire.ResultId;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.Pipe;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartialWriteTest {

    private static final int CHUNK = 512;
    private static final Sample VALUE = new Sample(5, 1_000);
    private static final ResultId ID = new ResultId("partial", 1, 1, 0);

    @RegisterExtension
    final LeakAudit audit = new LeakAudit();

    private ResultEncoder encoder(ChunkPool pool, boolean threaded) {
        return ResultEncoder.builder(pool)
                .window(4)
                .sendingOn(threaded ? audit.executor() : null)
                .build();
    }

    /** Takes of each write as many bytes as it is told, -1 being the channel's end; fails at a byte if told so. */
    private static final class Trickle implements GatheringByteChannel {
        private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
        private final IntUnaryOperator share;
        private final int failAt;
        private int writes;
        private boolean closed;

        Trickle(IntUnaryOperator share, int failAt) {
            this.share = share;
            this.failAt = failAt;
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
            long all = Arrays.stream(sources, offset, offset + length)
                    .mapToLong(ByteBuffer::remaining)
                    .sum();
            int most = share.applyAsInt((int) all);
            writes++;
            if (most < 0) {
                return -1;
            }
            int left = (int) Math.min(Math.min(most, all), failAt - taken.size());
            int done = left;
            for (int i = offset; i < offset + length; i++) {
                while (left > 0 && sources[i].hasRemaining()) {
                    taken.write(sources[i].get());
                    left--;
                }
            }
            if (taken.size() == failAt) {
                throw new IOException("cut at byte " + failAt);
            }
            return done;
        }

        @Override
        public long write(ByteBuffer[] sources) throws IOException {
            return write(sources, 0, sources.length);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return (int) write(new ByteBuffer[] {source}, 0, 1);
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private void send(ResultEncoder encoder, FrameSink sink) throws IOException {
        byte[] big = VALUE.bytes();
        try (ResultWriter writer = encoder.open(ID, "sample/1", sink)) {
            Sample.CODEC.encode(VALUE, writer.payload());
            writer.payload().writeOutOfBand(big, 0, big.length);
            writer.trailer().writeUtf8("t".repeat(300));
            writer.finish();
        }
    }

    private void assertWhole(ChunkPool pool, byte[] stream) throws IOException {
        List<Received> results = Received.all(pool, stream);
        assertEquals(1, results.size());
        assertTrue(results.get(0).complete());
        byte[] twice = Arrays.copyOf(VALUE.bytes(), 2 * VALUE.bytes().length);
        System.arraycopy(VALUE.bytes(), 0, twice, twice.length / 2, twice.length / 2);
        assertArrayEquals(twice, results.get(0).payload());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void channelThatTakesAnySharesOfAWriteGetsEveryByteOnce(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        SplittableRandom random = new SplittableRandom(audit.seed());
        List<IntUnaryOperator> shares = List.of(
                all -> 1,
                all -> Math.max(1, all - 1),
                all -> random.nextInt(4) == 0 ? 0 : random.nextInt(all + 1),
                all -> random.nextBoolean() ? 0 : 1 + random.nextInt(3),
                all -> all);
        ResultEncoder encoder = encoder(pool, threaded);
        for (IntUnaryOperator share : shares) {
            Trickle channel = new Trickle(share, Integer.MAX_VALUE);
            try (ChannelSink sink = ChannelSink.connection(channel)) {
                send(encoder, sink);
            }
            assertFalse(channel.isOpen());
            assertWhole(pool, channel.taken.toByteArray());
        }
        audit.cases(shares.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void channelCutAtAnyByteIsNeverWrittenAgain(boolean threaded) throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        ResultEncoder encoder = encoder(pool, threaded);
        Trickle whole = new Trickle(all -> all, Integer.MAX_VALUE);
        send(encoder, ChannelSink.connection(whole));
        int length = whole.taken.size();
        int cases = 0;
        for (int at = 1; at <= length; at += LeakAudit.FULL ? 1 : 37) {
            Trickle channel = new Trickle(all -> Math.max(1, all / 3), at);
            ChannelSink sink = ChannelSink.connection(channel);
            ResultFailedException failed = assertThrows(ResultFailedException.class, () -> send(encoder, sink));
            assertEquals("cut at byte " + at, failed.getCause().getMessage());
            int writes = channel.writes;
            ResultFailedException refused = assertThrows(ResultFailedException.class, () -> send(encoder, sink));
            assertSame(failed.getCause(), refused.getCause().getCause());
            assertEquals(writes, channel.writes);
            for (Received result : Received.all(pool, channel.taken.toByteArray())) {
                assertTrue(!result.complete() || at == length);
            }
            cases++;
        }
        audit.requireWhole();
        audit.cases(cases);
    }

    @Test
    void channelAtItsEndFailsTheResultInsteadOfSpinning() {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        Trickle channel = new Trickle(all -> -1, Integer.MAX_VALUE);
        ResultFailedException failed = assertThrows(
                ResultFailedException.class, () -> send(encoder(pool, false), ChannelSink.connection(channel)));
        assertInstanceOf(ClosedChannelException.class, failed.getCause());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void pipeThatIsReadSlowlyCarriesAllBytes(boolean threaded) throws Exception {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        Pipe pipe = Pipe.open();
        Future<byte[]> reading = audit.executor().submit(() -> {
            ByteArrayOutputStream read = new ByteArrayOutputStream();
            ByteBuffer piece = ByteBuffer.allocate(777);
            while (pipe.source().read(piece.clear()) >= 0) {
                read.write(piece.array(), 0, piece.position());
            }
            return read.toByteArray();
        });
        try (ChannelSink sink = ChannelSink.connection(pipe.sink())) {
            send(encoder(pool, threaded), sink);
            assertTrue(sink.outsideBytes() > 0);
        }
        assertWhole(pool, reading.get());
        pipe.source().close();
    }

    @Test
    void bufferingStreamThatCannotFlushIsRefusedFromThenOn() {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        IOException full = new IOException("no space");
        OutputStream device = new OutputStream() {
            private int taken;

            @Override
            public void write(int b) throws IOException {
                if (++taken > 100) {
                    throw full;
                }
            }
        };
        StreamSink sink = new StreamSink(new BufferedOutputStream(device, 1 << 20), FrameBatch.Purpose.FILE);
        ResultEncoder encoder = encoder(pool, false);
        ResultFailedException failed = assertThrows(ResultFailedException.class, () -> send(encoder, sink));
        assertSame(full, failed.getCause());
        ResultFailedException refused = assertThrows(ResultFailedException.class, () -> send(encoder, sink));
        assertSame(full, refused.getCause().getCause());
    }

    @Test
    void memorySinkKeepsAllAndSaysHowMuch() throws IOException {
        ChunkPool pool = audit.pool(CHUNK, 8 * CHUNK);
        try (MemorySink sink = new MemorySink(FrameBatch.Purpose.FILE)) {
            send(encoder(pool, false), sink);
            assertEquals(sink.toByteArray().length, sink.outsideBytes());
            assertWhole(pool, sink.toByteArray());
        }
    }
}
