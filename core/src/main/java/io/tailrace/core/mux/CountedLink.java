// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;

/**
 * Counts what a link is given. Frames of results are counted where they are paid for.
 *
 * <p><b>Ownership.</b> All goes on to the link.
 */
record CountedLink(Link link, Tally tally) implements Link {

    @Override
    public void write(Departure frames) {
        tally.sentBytes.add(frames.wireBytes());
        link.write(frames);
    }

    @Override
    public void write(ByteBuf frame) {
        tally.sentBytes.add(frame.readableBytes());
        tally.sentFrames.add(1);
        link.write(frame);
    }

    @Override
    public void flush() {
        link.flush();
    }

    @Override
    public void close() {
        link.close();
    }
}
