// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.arrow;

import io.netty.util.AbstractReferenceCounted;
import io.netty.util.ReferenceCounted;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;

/**
 * Keeps the buffers of one batch alive while any of them may be read.
 *
 * <p><b>Ownership.</b> One reference to each buffer, given up with the last reference to this.
 *
 * <p><b>Threads.</b> Made by the encoding thread, released for good by whichever thread is the last; Arrow counts its references
 * atomically.
 */
final class BodyOwner extends AbstractReferenceCounted {

    private final List<ArrowBuf> buffers;

    BodyOwner(List<ArrowBuf> buffers) {
        this.buffers = buffers;
        for (int i = 0; i < buffers.size(); i++) {
            buffers.get(i).getReferenceManager().retain();
        }
    }

    @Override
    protected void deallocate() {
        for (int i = 0; i < buffers.size(); i++) {
            buffers.get(i).getReferenceManager().release();
        }
    }

    @Override
    public ReferenceCounted touch(Object hint) {
        return this;
    }
}
