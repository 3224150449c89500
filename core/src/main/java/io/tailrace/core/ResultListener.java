// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Who is told of verified frames as they arrive. For each result: opened once, payload and trailer any number of times,
 * then exactly one of ended or failed, and nothing more.
 *
 * <p>What a callback throws fails that result, and {@link #onFailure} is told; the connection goes on.
 */
public interface ResultListener {

    /** A result begins. */
    void onOpen(ResultId id, String codecId) throws IOException;

    /**
     * Payload bytes, verified and expanded, from the reader index to the writer index. The buffer is borrowed for the
     * call; who retains it releases it, and until then it counts in the decoder's window.
     */
    void onPayload(ByteBuf payload) throws IOException;

    /** Trailer bytes; borrowed likewise. */
    void onTrailer(ByteBuf trailer) throws IOException;

    /** The result is complete: its end frame agrees with all that came. */
    void onEnd(ResultSummary summary) throws IOException;

    /** The result is not complete and never will be; with a null id when no result was open. */
    void onFailure(@Nullable ResultId id, ResultException failure);
}
