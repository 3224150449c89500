// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import static io.tailrace.core.frame.FrameLayout.END_ROOM;
import static io.tailrace.core.frame.FrameLayout.HEADER_LENGTH;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCounted;
import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.chunk.ChunkWindow;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import io.tailrace.core.frame.FrameSealer;
import io.tailrace.core.frame.OpenBody;
import io.tailrace.core.frame.ResultTotals;
import io.tailrace.core.wire.BlockCompression;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Turns a result's regions into sealed frames and sends them: acquire, reserve the header, let the codec write, seal,
 * give away.
 *
 * <pre>
 *  chunk   | sealed frames | header room | written | free          | room for END |
 *          0               header        +32       writer index    capacity - tailRoom
 * </pre>
 *
 * <p><b>Ownership.</b> The chunk being written is this object's, lent to the {@link WireOutput} whose region it is;
 * {@code chunk} is null from the moment it is sent. Compressing takes a second chunk for as long as it takes.
 *
 * <p><b>Threads.</b> The encoding thread alone.
 */
final class FrameWriter {

    /** Compressing fewer bytes than this never pays for the second chunk. */
    private static final int MIN_COMPRESSED = 64;

    private final EncoderSettings settings;
    private final ResultId id;
    private final ChunkWindow window;
    private final FrameSealer sealer;
    private final Sending sending;
    private final Delivery delivery;
    private final int tailRoom;
    private FrameKind kind = FrameKind.DATA;
    private @Nullable Chunk chunk;
    private int header = -1;

    /** Of the chunk in hand: a receiver keeps no open frame in a chunk. */
    private int openBytes;

    private long sent;
    private boolean payloadSent;
    private boolean compressing;
    private long compressorNanos;

    FrameWriter(
            EncoderSettings settings,
            ResultId id,
            ChunkWindow window,
            FrameSealer sealer,
            Sending sending,
            Delivery delivery) {
        this.settings = settings;
        this.id = id;
        this.window = window;
        this.sealer = sealer;
        this.sending = sending;
        this.delivery = delivery;
        this.tailRoom = tailRoom(settings);
    }

    /**
     * What a region leaves free at its chunk's tail: the end frame's room, and when compressing as much as the body may
     * grow by, so that the compressor's worst outcome fits the second chunk and no error path is needed.
     */
    private static int tailRoom(EncoderSettings settings) {
        BlockCompression compression = settings.compression();
        if (compression == null) {
            return END_ROOM;
        }
        int chunkBytes = settings.pool().chunkBytes();
        return Math.max(END_ROOM, compression.maxCompressedLength(chunkBytes) - chunkBytes);
    }

    int tailRoom() {
        return tailRoom;
    }

    ResultTotals totals() {
        return sealer.totals();
    }

    FrameSealer sealer() {
        return sealer;
    }

    long compressorNanos() {
        return compressorNanos;
    }

    /** Whether the compressor was called and has not returned: what was thrown is its own. */
    boolean compressing() {
        return compressing;
    }

    FrameKind kind() {
        return kind;
    }

    void open(OpenBody open) throws IOException {
        Chunk first = window.acquire();
        chunk = first;
        sealer.appendOpen(first, open);
        openBytes = first.wireBytes();
    }

    /** What is written from here on is the trailer; the last data frame is sealed. */
    void beginTrailer() throws IOException {
        sealFrame();
        kind = FrameKind.TRAILER;
    }

    /** Whether the chunk in hand has room for another region. */
    boolean hasRoom() {
        Chunk current = chunk;
        return current != null
                && current.writerIndex() + HEADER_LENGTH + WireOutput.ENSURE_MAX + tailRoom <= current.capacity();
    }

    /** Gives a region: header room is reserved in front of it. */
    ByteBuf beginFrame() throws IOException {
        Chunk current = chunk;
        if (current != null && header >= 0 && current.writerIndex() == header + HEADER_LENGTH) {
            return current; // begun before, but whoever asked ran out of stack
        }
        if (current == null || !hasRoom()) {
            sendChunk(false);
            current = window.acquire();
            chunk = current;
        }
        int at = current.writerIndex();
        current.writerIndex(at + HEADER_LENGTH);
        header = at;
        return current;
    }

    /** The region is full: seals it, sends the chunk and gives the next region. */
    ByteBuf nextFrame() throws IOException {
        sealFrame();
        sendChunk(false);
        return beginFrame();
    }

    /** Seals the frame being written; one with an empty body is taken back instead. */
    void sealFrame() throws IOException {
        Chunk current = chunk;
        if (current == null || header < 0) {
            return;
        }
        int rawLength = current.writerIndex() - header - HEADER_LENGTH;
        if (rawLength == 0) {
            current.writerIndex(header);
            header = -1;
            return;
        }
        admit(rawLength);
        BlockCompression compression = settings.compression();
        if (compression == null
                || !worthTrying(compression, current, rawLength)
                || !compress(compression, current, rawLength)) {
            sealer.seal(current, header, kind);
        }
        header = -1;
        requireWithin("wire bytes", settings.maxWireBytes(), totals().wireBytes());
    }

    /**
     * Fewer bytes than this are copied: a carrier of their own costs a whole chunk's charge, and into a socket a write. From
     * half a chunk on it costs no more processor time than the copy (bench/README.md, "outofband").
     */
    boolean goesByReference(int length) {
        return length >= settings.pool().chunkBytes() / 2;
    }

    /**
     * Bytes of the caller's own follow: what was written before them goes out.
     *
     * @return its length, 0 where it fills too much of a chunk to share one with a cut
     */
    int beginReference() throws IOException {
        sealFrame();
        Chunk before = chunk;
        int length = before == null ? 0 : before.wireBytes() - openBytes;
        sendChunk(true);
        return length <= settings.pool().chunkBytes() / 2 - HEADER_LENGTH ? length : 0;
    }

    /**
     * Sends as many of the caller's bytes as one data frame takes, without copying them; returns where the rest begins.
     *
     * @param before bytes of frames in front that the receiver is to find a place for in the same chunk: it packs frames, and
     *     behind a short one, one as long as a chunk would be charged for a second chunk
     */
    int sendCut(ByteBuffer body, int at, int before, @Nullable ReferenceCounted owner) throws IOException {
        // What is compressed must fit its carrier even when it grows.
        int largest = settings.pool().chunkBytes() - HEADER_LENGTH - (settings.compression() == null ? 0 : tailRoom);
        int length = Math.min(largest - before, body.limit() - at);
        admit(length);
        Chunk carrier = window.tryAcquire();
        if (carrier == null) {
            sending.flush(); // what waits for more may be what our window waits for
            carrier = window.acquire();
        }
        chunk = carrier;
        carrier.writerIndex(HEADER_LENGTH);
        sealCut(carrier, body, at, length, owner);
        requireWithin("wire bytes", settings.maxWireBytes(), totals().wireBytes());
        sendChunk(goesByReference(body.limit() - at - length));
        return at + length;
    }

    /** Gives the next region, into which a rest too small for a frame of its own is copied. */
    ByteBuf endReference(ByteBuffer body, int at) throws IOException {
        sending.flush();
        ByteBuf region = beginFrame();
        int written = region.writerIndex();
        int rest = body.limit() - at;
        body.get(at, region.array(), region.arrayOffset() + written, rest);
        return region.writerIndex(written + rest);
    }

    /** Waits until all that was sent is out of use: no chunk is live but the one being written. */
    void awaitSent() throws IOException {
        sending.flush();
        window.awaitLive(chunk == null ? 0 : 1);
    }

    /** The end frame goes behind what the chunk in hand holds, whose room was kept. It is out when the sending has finished. */
    void end() throws IOException {
        sealFrame();
        Chunk last = chunk;
        if (last == null) {
            last = window.acquire();
            chunk = last;
        }
        requireWithin("wire bytes", settings.maxWireBytes(), totals().wireBytes() + END_ROOM);
        sealer.appendEnd(last);
        sendChunk(true); // what follows is the sending's finish, which writes it
    }

    /** Drops what is not sent. */
    void release() {
        Chunk dropped = chunk;
        chunk = null;
        header = -1;
        if (dropped != null) {
            dropped.release();
        }
    }

    private void sealCut(Chunk carrier, ByteBuffer body, int at, int length, @Nullable ReferenceCounted owner) {
        BlockCompression compression = settings.compression();
        if (compression != null && body.hasArray()) {
            int compressed = timedCompress(compression, body.array(), body.arrayOffset() + at, length, carrier, 0);
            if (pays(compressed, length)) {
                carrier.writerIndex(HEADER_LENGTH + compressed);
                sealer.sealCompressed(carrier, 0, kind, length);
                return;
            }
        }
        carrier.attach(body, at, length, owner);
        sealer.sealOutOfBand(carrier, 0);
    }

    /** The tail room holds what a whole chunk may grow by; a compression whose bound is coarser skips short frames. */
    private boolean worthTrying(BlockCompression compression, Chunk current, int rawLength) {
        return rawLength >= MIN_COMPRESSED
                && header + HEADER_LENGTH + compression.maxCompressedLength(rawLength) <= current.capacity();
    }

    private boolean compress(BlockCompression compression, Chunk from, int rawLength) throws IOException {
        Chunk into = window.acquire(); // the second of the reserve: never waits for another result
        boolean kept = false;
        try {
            System.arraycopy(from.array(), from.arrayOffset(), into.array(), into.arrayOffset(), header);
            int body = from.arrayOffset() + header + HEADER_LENGTH;
            int length = timedCompress(compression, from.array(), body, rawLength, into, header);
            if (pays(length, rawLength)) {
                into.writerIndex(header + HEADER_LENGTH + length);
                sealer.sealCompressed(into, header, kind, rawLength);
                chunk = into;
                kept = true;
            }
        } finally {
            (kept ? from : into).release();
        }
        return kept;
    }

    private int timedCompress(
            BlockCompression compression, byte[] from, int at, int rawLength, Chunk into, int intoHeader) {
        long start = System.nanoTime();
        compressing = true;
        int length = compression.compress(
                from, at, rawLength, into.array(), into.arrayOffset() + intoHeader + HEADER_LENGTH);
        compressing = false;
        compressorNanos += System.nanoTime() - start;
        return length;
    }

    /** Less than a sixteenth saved is not worth the receiver's time. */
    private static boolean pays(int length, int rawLength) {
        return length > 0 && length < rawLength - (rawLength >> 4);
    }

    private void sendChunk(boolean more) throws IOException {
        Chunk full = chunk;
        if (full == null) {
            return;
        }
        chunk = null; // given up first: whatever happens in send, it is no longer ours
        openBytes = 0;
        if (full.wireBytes() == 0) {
            full.release();
            return;
        }
        if (!payloadSent && totals().payloadBytes() > 0) {
            payloadSent = true;
            delivery.payloadFrom(sent);
        }
        sent++;
        sending.send(full, more);
    }

    private void admit(int rawLength) throws ResultTooLargeException {
        requireWithin("frames", FrameLayout.MAX_SEQUENCE, totals().frames() + 1); // the end frame comes behind
        if (kind == FrameKind.DATA) {
            requireWithin("payload bytes", settings.maxPayloadBytes(), totals().payloadBytes() + rawLength);
        } else {
            requireWithin("trailer bytes", settings.maxTrailerBytes(), totals().trailerBytes() + rawLength);
        }
    }

    private void requireWithin(String what, long limit, long actual) throws ResultTooLargeException {
        if (actual > limit) {
            throw new ResultTooLargeException("too many " + what, limit, actual, totals().payloadBytes(), id);
        }
    }
}
