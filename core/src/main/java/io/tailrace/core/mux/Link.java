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
     * Takes frames that are sent as they are. They are the link's from here on: they are {@linkplain Departure#release
     * released} when they are really out, or never will be, and then {@link Connection#written} is called, later and
     * not from within.
     */
    void write(Departure frames);

    /** Takes a frame of the connection itself, which the link releases. */
    void write(ByteBuf frame);

    /** Sends what was taken. */
    void flush();

    /** Closes behind what was taken, in a time of its own. */
    void close();
}
