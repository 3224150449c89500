// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.sink.FrameSink;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ValueCodec;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The process's settings for encoding results; each result is written by a {@link ResultWriter} that it opens.
 *
 * <p><b>Threads.</b> Any thread opens results, each result has one encoding thread. In the synchronous mode, the
 * default, that thread also writes to the sink; with {@link Builder#sendingOn} a second one does.
 */
public final class ResultEncoder {

    private final EncoderSettings settings;

    /** Stream ids count up from a random number, so that a frame of another connection or file is seen to be foreign. */
    private final AtomicLong streamIds = new AtomicLong(new SecureRandom().nextLong());

    private ResultEncoder(EncoderSettings settings) {
        this.settings = settings;
    }

    public static Builder builder(ChunkPool pool) {
        return new Builder(pool);
    }

    /**
     * Opens a result: its reserve is granted here, whole, or not at all. Until the result has ended, nothing else may be
     * written to its sink; a sink that was stuck past {@link Builder#linger} is to be closed.
     *
     * @param codecId which codec's bytes the payload is, "name/version"; at most 64 bytes of UTF-8
     * @throws IllegalArgumentException for a codec id of more than 64 bytes, or a job of more than 255
     * @throws io.tailrace.core.wire.BudgetExhaustedException when the reserve cannot be had in time
     * @throws io.tailrace.core.wire.ResultFailedException when the executor refuses the sending task
     * @throws java.io.InterruptedIOException when interrupted while waiting for the reserve; the flag is kept
     */
    public ResultWriter open(ResultId id, String codecId, FrameSink sink) throws IOException {
        return open(id, codecId, OpenBody.UNKNOWN, sink);
    }

    /**
     * The same for a payload of known size, which is told to the receiver before its first byte.
     *
     * @param declaredBytes payload bytes, for the receiver to judge by; it holds nobody to them. −1 if they are not known
     */
    public ResultWriter open(ResultId id, String codecId, long declaredBytes, FrameSink sink) throws IOException {
        OpenBody body =
                new OpenBody(settings.pool().chunkBytes(), settings.compressionId(), id, codecId, declaredBytes);
        ChunkWindow window = settings.pool().open(id, settings.window(), settings.reserve());
        boolean opened = false;
        try {
            ResultWriter writer = new ResultWriter(settings, body, nextStreamId(), window, sink);
            opened = true;
            return writer;
        } finally {
            if (!opened) {
                window.close();
            }
        }
    }

    /**
     * Encodes a whole result. If the codec throws, the result fails with that, the peer is told, and it is thrown on.
     *
     * @throws IllegalArgumentException as {@link #open} does, as all else that it throws
     * @throws io.tailrace.core.wire.ResultTooLargeException when a limit was crossed
     * @throws io.tailrace.core.wire.ResultFailedException when the sink failed
     */
    public <T> ResultSummary encode(ResultId id, ValueCodec<? super T> codec, T value, FrameSink sink)
            throws IOException {
        try (ResultWriter writer = open(id, codec.id(), sink)) {
            try {
                codec.encode(value, writer.payload());
            } catch (Throwable e) {
                writer.fail(e);
                throw e;
            }
            return writer.finish();
        }
    }

    /** Where its results' chunks come from. */
    public ChunkPool pool() {
        return settings.pool();
    }

    private long nextStreamId() {
        long id = streamIds.incrementAndGet();
        return id == 0 ? streamIds.incrementAndGet() : id; // 0 is the connection itself
    }

    private static void requireUsable(@Nullable BlockCompression compression, int chunkBytes) {
        if (compression == null) {
            return;
        }
        if (compression.id() < 1 || compression.id() > 0xFFFF) {
            throw new IllegalArgumentException("compression id " + compression.id() + ": 1 to 65535");
        }
        int growth = compression.maxCompressedLength(chunkBytes) - chunkBytes;
        if (growth > chunkBytes / 4) {
            throw new IllegalArgumentException(
                    "a chunk of " + chunkBytes + " bytes may grow by " + growth + " when compressed: above a quarter");
        }
    }

    /** Settings of an encoder. */
    public static final class Builder {
        private final ChunkPool pool;
        private int window = 8;
        private @Nullable BlockCompression compression;
        private @Nullable Executor sendingOn;
        private long maxWireBytes = Long.MAX_VALUE;
        private long maxPayloadBytes = Long.MAX_VALUE;
        private long maxTrailerBytes = 64L << 20;
        private Duration linger = Duration.ofSeconds(5);

        private Builder(ChunkPool pool) {
            this.pool = pool;
        }

        /**
         * Most chunks live for one result, 1 or more (2 when compressing); the default is 8. A long link wants chunk
         * bytes × window above its bandwidth × delay.
         */
        public Builder window(int chunks) {
            window = chunks;
            return this;
        }

        /** Compresses each chunk by itself, keeping the outcome where it pays. The default is none. */
        public Builder compression(@Nullable BlockCompression blocks) {
            compression = blocks;
            return this;
        }

        /**
         * The threaded mode: each result's frames are written to its sink by a task of this executor, which must run it
         * at once, beside the encoding thread. Null, the default, is the synchronous mode; so is a sink that does not {@linkplain
         * FrameSink#waits wait}.
         */
        public Builder sendingOn(@Nullable Executor executor) {
            sendingOn = executor;
            return this;
        }

        /** Most bytes of all frames of one result, headers included; unlimited by default. */
        public Builder maxWireBytes(long bytes) {
            maxWireBytes = requireLimit("wire", bytes);
            return this;
        }

        /** Most payload bytes of one result, before compression; unlimited by default. */
        public Builder maxPayloadBytes(long bytes) {
            maxPayloadBytes = requireLimit("payload", bytes);
            return this;
        }

        /** Most trailer bytes of one result; the default is 64 MiB. */
        public Builder maxTrailerBytes(long bytes) {
            maxTrailerBytes = requireLimit("trailer", bytes);
            return this;
        }

        /**
         * How long a failed result in the threaded mode waits for a stuck sink to take its last frame; the default is 5
         * seconds.
         */
        public Builder linger(Duration longest) {
            if (longest == null || longest.isNegative()) {
                throw new IllegalArgumentException("linger " + longest);
            }
            linger = longest;
            return this;
        }

        private static long requireLimit(String what, long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("negative limit: " + what + " " + bytes);
            }
            return bytes;
        }

        /**
         * Builds it.
         *
         * @throws IllegalArgumentException for a window below the reserve (1, or 2 when compressing), and for a compression
         *     whose id is not 1 … 65,535 or by which a chunk may grow by more than a quarter
         */
        public ResultEncoder build() {
            EncoderSettings settings = new EncoderSettings(
                    pool, window, compression, sendingOn, maxWireBytes, maxPayloadBytes, maxTrailerBytes, linger);
            requireUsable(compression, pool.chunkBytes());
            if (window < settings.reserve()) {
                throw new IllegalArgumentException(
                        "a window of " + window + " chunks is below the reserve of " + settings.reserve());
            }
            return new ResultEncoder(settings);
        }
    }
}
