// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.fory;

import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.fory.memory.MemoryBuffer;

/** The buffers behind an element, each read when Fory asks for it, into memory of its own. */
final class ArrivingBuffers implements Iterator<MemoryBuffer> {

    private final WireInput in;
    private long total;
    private int left;

    ArrivingBuffers(WireInput in, int elementBytes, int count) {
        this.in = in;
        this.total = elementBytes;
        this.left = count;
    }

    /** How many nobody asked for. */
    int left() {
        return left;
    }

    @Override
    public boolean hasNext() {
        return left > 0;
    }

    @Override
    public MemoryBuffer next() {
        if (left <= 0) {
            throw new NoSuchElementException();
        }
        left--;
        try {
            int length = in.readInt();
            total += Math.max(0, length);
            if (total > in.valueLimit()) {
                throw new ResultTooLargeException(
                        "element too large", in.valueLimit(), total, in.position(), in.resultId());
            }
            return MemoryBuffer.fromByteArray(in.readByteArray(length));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
