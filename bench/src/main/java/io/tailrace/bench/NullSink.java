// SPDX-License-Identifier: Apache-2.0
package io.tailrace.bench;

import io.tailrace.core.sink.FrameBatch;
import io.tailrace.core.sink.FrameSink;

/** A sink that drops all: what is left is the encoder. */
final class NullSink implements FrameSink {

    private long bytes;

    @Override
    public void write(FrameBatch batch) {
        bytes += batch.bytes();
    }

    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
