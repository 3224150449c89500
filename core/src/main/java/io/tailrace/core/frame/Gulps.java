// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one file or connection, lent in gulps as large as they come. A channel that holds its bytes in buffers
 * already lends those, which spares a copy.
 *
 * <p><b>Threads.</b> The decoding thread alone.
 */
public interface Gulps {

    /** Waits for more and lends it until the next call; null at the end of the stream. What was lent before is used up. */
    @Nullable
    ByteBuffer next() throws IOException;

    /** Whether what was lent stays as it is until the end, so that bodies can be read where they are. */
    default boolean lasting() {
        return false;
    }

    /** Whether each gulp is an array's, lasts until the next, and no frame begins in one and ends in another. */
    default boolean whole() {
        return false;
    }

    /** Ends the last loan; to be called before the lender is forgotten. */
    void giveBack();

    /** Bytes held outside the pool for this. */
    long outsideBytes();
}
