// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.wire.ResultId;

/**
 * What a complete result amounted to, at one of its two sides. Times are nanoseconds; a side that does not know a
 * number has 0 there: a reader has no sink, and a {@link ResultDecoder} never waits, and does not know of the memory that
 * its bytes come through.
 *
 * @param payloadBytes payload before compression
 * @param wireBytes all frames, headers included
 * @param trailerBytes trailer before compression
 * @param frames all frames, the end frame included
 * @param firstPayloadNanos from opening until the first payload byte was with the sink, or was handed out; in the
 *     synchronous mode, where it went out with the last frame, until the sink had completed the result
 * @param poolStallNanos waiting for the process's budget; where a thread reads ahead, its waits that ended while this
 *     result was decoded are in here, and in the next
 * @param handoffStallNanos waiting for the result's own window: the sending thread, or the decoding thread, is behind
 * @param sinkStallNanos inside the sink
 * @param compressorNanos inside the compressor, compressing or expanding
 * @param peakLiveBytes the most chunk memory that was live, by capacity: of the result at its writer, of the whole stream so
 *     far at its reader
 * @param outsideBytes memory outside the pool that we know of, at the end
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
        long peakLiveBytes,
        long outsideBytes) {}
