// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.chunk;

/** Where on its way a chunk is: what its holder notes with {@code touch}, and the ledger reports. */
public enum ChunkStage {
    /** With the encoding thread, being written. */
    WRITING,
    /** Sealed, in the hand-off. */
    OFFERED,
    /** With the sink. */
    SENDING,
    /** Being filled from the network. */
    RECEIVING,
    /** Verified, with the decoding thread. */
    READING
}
