// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/**
 * Gulps of frames that lie whole in arrays, and are read where they are. A channel in name only, as readers are opened on
 * channels.
 *
 * <p><b>Threads.</b> The decoding thread alone.
 */
public interface WholeFrames extends ReadableByteChannel, Gulps {

    @Override
    default boolean lasting() {
        return true;
    }

    @Override
    default boolean whole() {
        return true;
    }

    @Override
    default long outsideBytes() {
        return 0;
    }

    /** Never called by a reader, which takes gulps. */
    @Override
    default int read(ByteBuffer into) throws IOException {
        throw new IOException("it is read in gulps");
    }
}
