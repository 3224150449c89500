// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import io.tailrace.core.ResultDecoder;
import io.tailrace.core.ResultReader;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.testing.Reported;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.DecoderLimits;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A whole stream read by the receiver, pushed or pulled, in pieces; its reports are the referee's, without stream ids. */
record Reading(
        ChunkPool pool,
        int window,
        DecoderLimits limits,
        @Nullable BlockCompression compression,
        @Nullable Executor readingOn) {

    static Reading of(ChunkPool pool) {
        return new Reading(pool, 3, DecoderLimits.DEFAULT, new NaiveBlocks(), null);
    }

    Reading limits(DecoderLimits most) {
        return new Reading(pool, window, most, compression, readingOn);
    }

    Reading compression(@Nullable BlockCompression blocks) {
        return new Reading(pool, window, limits, blocks, readingOn);
    }

    Reading window(int chunks) {
        return new Reading(pool, chunks, limits, compression, readingOn);
    }

    /** The same with a thread that reads the channel ahead; only for what is pulled. */
    Reading ahead(Executor executor) {
        return new Reading(pool, window, limits, compression, executor);
    }

    ResultReader.Builder builder() {
        return ResultReader.builder(pool)
                .window(window)
                .limits(limits)
                .compression(compression)
                .readingOn(readingOn);
    }

    List<Reported> push(byte[] stream, Cuts cuts) throws IOException {
        Recording recording = new Recording();
        push(stream, cuts, recording);
        return recording.reports();
    }

    void push(byte[] stream, Cuts cuts, Recording recording) throws IOException {
        try (ResultDecoder decoder = builder().decoder(recording, () -> {})) {
            for (int from = 0; from < stream.length; ) {
                int to = cuts.end(from, stream.length);
                // Netty's buffers and the JDK's by turns: the same bytes either way.
                boolean used = from % 2 == 0
                        ? decoder.accept(ByteBuffer.wrap(stream, from, to - from))
                        : decoder.accept(Unpooled.wrappedBuffer(stream, from, to - from));
                assertTrue(used, "waits for a chunk, though no listener keeps one");
                from = to;
            }
            decoder.endOfInput();
            recording.ended();
        } catch (ResultException e) {
            recording.lost(e);
        }
    }

    List<Reported> pull(byte[] stream, Cuts cuts) throws IOException {
        return pull(builder(), new Pieces(stream, cuts));
    }

    List<Reported> pull(ByteBuffer memory) throws IOException {
        return pull(builder().open(memory));
    }

    static List<Reported> pull(ResultReader.Builder builder, ReadableByteChannel source) throws IOException {
        return pull(builder.open(source));
    }

    private static List<Reported> pull(ResultReader opened) throws IOException {
        Recording recording = new Recording();
        try (ResultReader reader = opened) {
            boolean more = true;
            while (more) {
                more = pullOne(reader, recording);
            }
            recording.ended();
            assertFalse(reader.nextResult(), "told again");
        } catch (StreamOver over) {
            recording.lost(over.reason);
        }
        return recording.reports();
    }

    /** Reads one result; false at the clean end of the stream. */
    private static boolean pullOne(ResultReader reader, Recording recording) throws IOException, StreamOver {
        try {
            if (!reader.nextResult()) {
                return false;
            }
        } catch (ResultException e) {
            requireGoingOn(reader, e);
            recording.onFailure(null, e);
            return true;
        }
        recording.onOpen(reader.id(), reader.codecId());
        try {
            drain(reader.payload(), recording::onPayload);
            drain(reader.trailer(), recording::onTrailer);
            recording.onEnd(reader.finish());
        } catch (ResultException e) {
            recording.onFailure(reader.id(), e);
            requireGoingOn(reader, e);
        }
        return true;
    }

    private static void requireGoingOn(ResultReader reader, ResultException e) throws StreamOver {
        if (Recording.over(e)) {
            assertSame(e, assertThrows(ResultException.class, reader::nextResult), "told again");
            throw new StreamOver(e);
        }
    }

    /** Nothing more is read of the stream, for that reason. */
    private static final class StreamOver extends Exception {
        private static final long serialVersionUID = 1;
        private final ResultException reason;

        StreamOver(ResultException reason) {
            super(null, null, false, false);
            this.reason = reason;
        }
    }

    private interface To {
        void bytes(io.netty.buffer.ByteBuf bytes) throws IOException;
    }

    private static void drain(WireInput in, To to) throws IOException {
        while (!in.exhausted()) {
            to.bytes(Unpooled.wrappedBuffer(in.array(), in.offset(), in.limit() - in.offset()));
            in.commit(in.limit());
        }
    }

    /** What a report says, as a text that can be compared: without stream id, chunk size and compression, and without a reason. */
    static String outline(Reported report) {
        Reported.Opened opened = report.opened();
        String who = opened == null
                ? "nobody"
                : opened.job() + "/" + opened.stage() + "/" + opened.task() + "#" + opened.attempt() + " "
                        + opened.codecId();
        return report.terminal() + (report.connectionOver() ? " (over) " : " ") + who + " payload "
                + HexFormat.of().formatHex(report.payload()) + " trailer "
                + HexFormat.of().formatHex(report.trailer()) + " " + Objects.toString(report.failure(), "");
    }

    /** Where the referee names a breach, the report of it names the same, perhaps with more about it. */
    static void requireSameReasons(List<Reported> referee, List<Reported> reports, String what) {
        assertEquals(referee.size(), reports.size(), what);
        for (int i = 0; i < reports.size(); i++) {
            String named = referee.get(i).reason();
            String told = reports.get(i).reason();
            if (referee.get(i).terminal() == Reported.Terminal.MALFORMED) {
                assertTrue(told.contains(named), () -> what + ": \"" + told + "\" names no \"" + named + "\"");
            }
        }
    }

    static List<String> outlines(List<Reported> reports) {
        return reports.stream().map(Reading::outline).toList();
    }

    /** Delivers at most one piece a read, and now and then nothing. */
    static final class Pieces implements ReadableByteChannel {
        private final byte[] stream;
        private final Cuts cuts;
        private int at;

        Pieces(byte[] stream, Cuts cuts) {
            this.stream = stream;
            this.cuts = cuts;
        }

        @Override
        public int read(ByteBuffer target) {
            if (at == stream.length) {
                return -1;
            }
            int length = Math.min(cuts.end(at, stream.length) - at, target.remaining());
            target.put(stream, at, length);
            at += length;
            return length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
