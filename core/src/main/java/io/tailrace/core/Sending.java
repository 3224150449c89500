// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.chunk.Chunk;
import java.io.IOException;

/** How sealed chunks get from the encoding thread into the sink. */
sealed interface Sending permits SynchronousSending, ThreadedSending {

    /** Writes the last chunk of a result that failed; {@code begun} tells whether its open frame is out. */
    interface Farewell {
        Chunk write(boolean begun);
    }

    /**
     * Sends a chunk, which is this object's from here on, also when it throws.
     *
     * @param more another follows at once, so that both may go out in one write
     */
    void send(Chunk chunk, boolean more) throws IOException;

    /** Sends what was held back for more to come. */
    void flush() throws IOException;

    /** The end frame was sent: waits until all is out, then completes the sink. */
    void finish() throws IOException;

    /** Makes a {@link #finish} that waits give up; from any thread. */
    void interrupt();

    /** Whether the calling thread is inside the sink: from there a result can be asked to stop, but not be ended. */
    boolean within();

    /**
     * Drops what is not out yet and sends the farewell, if the sink is sound and the end frame did not get to it. Never
     * throws.
     */
    void abort(Farewell farewell);
}
