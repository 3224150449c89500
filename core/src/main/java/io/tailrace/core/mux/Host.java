// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import org.jspecify.annotations.Nullable;

/**
 * The receiving process as its connections need it.
 *
 * <p><b>Threads.</b> Called on the loops of all connections.
 */
public interface Host {

    /**
     * Judges a result by its opening.
     *
     * @return true to have it decoded; false when it was, or will be, {@linkplain Arriving#settle settled} here
     */
    boolean admit(Arriving result);

    /** Has the result decoded by another thread. */
    void decode(Arriving result);

    /** The connection was lost before the result had come whole. */
    void lost(Arriving result);

    /** Takes up to so many chunks of the process's budget for credit that the results of one connection share. */
    int takeShare(int chunks);

    /** Gives back a part of it; from any thread. */
    void giveShare(int chunks);

    /** Where results go whose readers stand still; null where they wait in memory. */
    default @Nullable Overflow overflow() {
        return null;
    }
}
