// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

/** Whole frames that a link is given to send. */
public sealed interface Departure permits Region, FileSlice {

    /** Bytes on the wire. */
    int wireBytes();

    /** They are out, or never will be. */
    void release();
}
