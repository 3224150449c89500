// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import org.apache.fory.Fory;
import org.apache.fory.exception.ForyException;
import org.apache.fory.memory.MemoryBuffer;

/**
 * A Fory and a buffer of its kind, which is pointed at where elements go or lie.
 *
 * <p><b>Ownership.</b> The buffer refers to a chunk's memory while elements are written or read there; at rest it refers to
 * none.
 *
 * <p><b>Threads.</b> One at a time, who took it out of the pool.
 */
final class PooledFory {

    private static final byte[] NONE = {};

    private final MemoryBuffer buffer = MemoryBuffer.fromByteArray(NONE);
    private final Scratch.Kept scratch;
    private final GroupWriter writer;
    private final GroupReader reader;

    PooledFory(Fory fory, Scratch counted, int elementLimit, boolean outOfBand) {
        this.scratch = new Scratch.Kept(counted);
        this.writer = new GroupWriter(fory, buffer, scratch, elementLimit);
        boolean detaching = ArraySerializer.replaceFor(fory, outOfBand ? writer::unasked : null);
        this.reader = new GroupReader(fory, buffer, scratch, detaching);
    }

    GroupWriter writer() {
        return writer;
    }

    GroupReader reader() {
        return reader;
    }

    /** Lets go of all that is not its own; false where it may have been left in the middle of something. */
    boolean rest() {
        boolean written = writer.rest();
        boolean read = reader.rest();
        buffer.pointTo(NONE, 0, 0);
        scratch.shrink();
        return written && read;
    }

    void drop() {
        scratch.replace(NONE);
    }

    /**
     * Without what Fory wraps it in, which would tell all objects read so far, each by its own toString. Bytes that are broken
     * run into assertions of Fory's, and into classes that cannot be linked: such an Error is the value's too.
     */
    static Throwable reason(Throwable thrown) {
        Throwable reason = thrown;
        while (reason instanceof ForyException && reason.getCause() != null) {
            reason = reason.getCause();
        }
        return reason instanceof AssertionError || reason instanceof LinkageError
                ? new IllegalStateException(reason.toString(), reason)
                : reason;
    }
}
