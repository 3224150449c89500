// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.sink;

import java.io.Closeable;
import java.io.IOException;

/**
 * Where sealed frames go. One result at a time is written to a sink, by the result's sending thread.
 *
 * <p>A sink for a fresh file or connection writes the preamble in front of the first frame
 * ({@link FrameBatch#preamble}). After a failed write it must refuse every further one: half a frame may be out, and
 * what followed would be taken for its rest.
 */
public interface FrameSink extends Closeable {

    /**
     * Writes all bytes of all frames, in order, waiting where it must.
     *
     * <p>The frames are borrowed: the caller releases them when this returns or throws. A sink that needs a chunk
     * longer (an asynchronous transport) retains it and releases it when its bytes are really out; until then it
     * counts in window and budget.
     */
    void write(FrameBatch batch) throws IOException;

    /** The result's end frame is out. A file is forced and renamed here; a connection has nothing to do. */
    default void complete() throws IOException {}

    /** The result was cancelled: a {@link #complete} that waits for the other side's word gives up. From any thread. */
    default void cancel() {}

    /**
     * Whether {@link #write} waits until bytes are out. A sink that hands them to a thread of its own gains nothing by a sending
     * thread in between: its results are written by the encoding thread, whatever executor the encoder has for it. That waits for half
     * of a full window to come back, for two milliseconds at most: such a sink should not keep more than half for long.
     */
    default boolean waits() {
        return true;
    }

    /** Bytes this sink, or what is below it, holds outside the pool, as far as it knows. */
    default long outsideBytes() {
        return 0;
    }
}
