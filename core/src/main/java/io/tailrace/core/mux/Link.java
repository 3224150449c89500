// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.netty.buffer.ByteBuf;

/**
 * What carries a connection's bytes, in order.
 *
 * <p><b>Threads.</b> The connection's loop alone.
 */
public interface Link {

    /**
     * Takes bytes that are sent as they are. The region is the link's from here on: it is {@linkplain Region#release
     * released} when its bytes are really out, or never will be, and then {@link Connection#written} is called, later and
     * not from within.
     */
    void write(Region region);

    /** Takes a frame of the connection itself, which the link releases. */
    void write(ByteBuf frame);

    /** Sends what was taken. */
    void flush();

    /** Closes behind what was taken, in a time of its own. */
    void close();
}
