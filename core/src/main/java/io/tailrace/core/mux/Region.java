// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.chunk.Chunk;
import io.tailrace.core.frame.FrameHeader;
import io.tailrace.core.frame.FrameKind;
import io.tailrace.core.frame.FrameLayout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Whole sealed frames of one result, or of several, in a chunk on its way out; the chunk's out-of-band body belongs to its
 * last frame.
 *
 * <p><b>Ownership.</b> One reference to the chunk, which is whose the region is.
 */
public final class Region implements Departure {

    private final Chunk chunk;
    private int from;
    private final int to;

    /** Takes over the caller's reference. */
    Region(Chunk chunk, int from, int to) {
        this.chunk = chunk;
        this.from = from;
        this.to = to;
    }

    static Region all(Chunk chunk) {
        return new Region(chunk, chunk.readerIndex(), chunk.writerIndex());
    }

    public Chunk chunk() {
        return chunk;
    }

    /** Where its bytes begin in the chunk. */
    public int from() {
        return from;
    }

    /** Bytes in the chunk. */
    public int length() {
        return to - from;
    }

    /** What follows them on the wire, or null. */
    public @Nullable ByteBuffer body() {
        return to == chunk.writerIndex() ? chunk.body() : null;
    }

    @Override
    public int wireBytes() {
        return to == chunk.writerIndex() ? to - from + chunk.bodyBytes() : to - from;
    }

    @Override
    public void release() {
        chunk.release();
    }

    /** Splits off the frames before {@code end}; this keeps the rest. */
    Region head(int end) {
        Region head = part(from, end);
        from = end;
        return head;
    }

    /** The part between two frames' ends, which has a reference of its own. */
    Region part(int begin, int end) {
        chunk.retain();
        return new Region(chunk, begin, end);
    }

    int to() {
        return to;
    }

    FrameKind kindAt(int frame) {
        return FrameHeader.kind(chunk.array(), chunk.arrayOffset() + frame);
    }

    long streamAt(int frame) {
        return FrameHeader.streamId(chunk.array(), chunk.arrayOffset() + frame);
    }

    /** Header and body of the frame that begins there, on the wire. */
    int frameBytesAt(int frame) {
        return FrameLayout.HEADER_LENGTH + FrameHeader.wireLength(chunk.array(), chunk.arrayOffset() + frame);
    }

    /** Where the next frame begins; the last one's body may lie outside the chunk. */
    int behind(int frame) {
        return Math.min(to, frame + frameBytesAt(frame));
    }
}
