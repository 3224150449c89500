// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.wire.ResultId;

/**
 * What a complete result amounted to, at one of its two sides. Times are nanoseconds; a side that does not know a
 * number has 0 there.
 *
 * @param payloadBytes payload before compression
 * @param wireBytes all frames, headers included
 * @param trailerBytes trailer before compression
 * @param frames all frames, the end frame included
 * @param firstPayloadNanos from opening until the first payload byte was with the sink, or was handed out
 * @param poolStallNanos waiting for the process's budget
 * @param handoffStallNanos waiting for the result's own window: the sending thread is behind
 * @param sinkStallNanos inside the sink
 * @param compressorNanos inside the compressor
 * @param outsideBytes memory outside the pool that we know of
 */
public record ResultSummary(
        ResultId id,
        String codecId,
        long payloadBytes,
        long wireBytes,
        long trailerBytes,
        long frames,
        long firstPayloadNanos,
        long poolStallNanos,
        long handoffStallNanos,
        long sinkStallNanos,
        long compressorNanos,
        long outsideBytes) {}
