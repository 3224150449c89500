// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.tailrace.core.chunk.ChunkPool;
import io.tailrace.core.transport.ResultServer;

/**
 * What a driver tells Spark's metrics.
 *
 * <p><b>Threads.</b> Any.
 *
 * @param received results whose value was decoded
 * @param receivedBytes of their values
 * @param refused results that were not taken
 * @param swept values that were decoded and never claimed
 */
record DriverMeters(Counter received, Counter receivedBytes, Counter refused, Counter swept) {

    static DriverMeters in(MetricRegistry registry) {
        return new DriverMeters(
                registry.counter("results.received"),
                registry.counter("results.receivedBytes"),
                registry.counter("results.refused"),
                registry.counter("results.swept"));
    }

    /** What can only be read when all is made. */
    static void register(MetricRegistry registry, ChunkPool pool, ResultServer server, Arrivals arrivals) {
        registry.register("memory.liveBytes", (Gauge<Long>) pool::liveBytes);
        registry.register("memory.peakLiveBytes", (Gauge<Long>) pool::peakLiveBytes);
        registry.register("memory.outsideBytes", (Gauge<Long>) server::outsideBytes);
        registry.register("results.open", (Gauge<Integer>) server::openResults);
        registry.register("results.unclaimed", (Gauge<Integer>) arrivals::unclaimed);
        registry.register("connections.open", (Gauge<Integer>) server::connections);
    }
}
