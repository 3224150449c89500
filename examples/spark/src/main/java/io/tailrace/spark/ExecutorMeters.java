// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.tailrace.core.ResultSummary;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.transport.ResultClient;
import io.tailrace.core.transport.StallCause;

/**
 * What an executor tells Spark's metrics.
 *
 * <p><b>Threads.</b> Any.
 *
 * @param streamed results that the driver took
 * @param streamedBytes of their values
 * @param inline small results, which went Spark's own way
 * @param fallbacks large ones that did, because their own was lost
 * @param refused results that the driver did not want
 * @param stallNanos time that encoders waited for a chunk
 */
record ExecutorMeters(
        Counter streamed,
        Counter streamedBytes,
        Counter inline,
        Counter fallbacks,
        Counter refused,
        Counter stallNanos) {

    static ExecutorMeters in(MetricRegistry registry) {
        return new ExecutorMeters(
                registry.counter("results.streamed"),
                registry.counter("results.streamedBytes"),
                registry.counter("results.inline"),
                registry.counter("results.fallbacks"),
                registry.counter("results.refused"),
                registry.counter("stall.nanos"));
    }

    /** What can only be read when all is made. */
    static void register(MetricRegistry registry, ChunkPool pool, ResultClient client) {
        registry.register("memory.liveBytes", (Gauge<Long>) pool::liveBytes);
        registry.register("memory.peakLiveBytes", (Gauge<Long>) pool::peakLiveBytes);
        registry.register("memory.outsideBytes", (Gauge<Long>) client::outsideBytes);
        registry.register(
                "stall.creditNanos", (Gauge<Long>) () -> client.counters().stallNanos(StallCause.CREDIT));
        registry.register(
                "connections.lost", (Gauge<Long>) () -> client.counters().connectionsLost());
    }

    void delivered(ResultSummary summary) {
        streamed.inc();
        streamedBytes.inc(summary.payloadBytes());
        stallNanos.inc(summary.poolStallNanos() + summary.handoffStallNanos());
    }
}
