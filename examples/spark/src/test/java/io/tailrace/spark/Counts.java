// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.Serializable;
import org.apache.spark.SparkEnv;

/**
 * What executors have counted.
 *
 * @param peakLiveBytes the largest of theirs
 */
record Counts(
        long process, long streamed, long inline, long fallbacks, long refused, long liveBytes, long peakLiveBytes)
        implements Serializable {

    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

    static Counts here() {
        Sending sending = Ends.sending();
        long process = ProcessHandle.current().pid();
        if (sending == null) {
            return new Counts(process, 0, 0, 0, 0, 0, 0);
        }
        ExecutorMeters meters = sending.meters();
        return new Counts(
                process,
                meters.streamed().getCount(),
                meters.inline().getCount(),
                meters.fallbacks().getCount(),
                meters.refused().getCount(),
                published("memory.liveBytes"),
                published("memory.peakLiveBytes"));
    }

    /** A gauge of this process's, as Spark's sinks would show it. */
    static long published(String gauge) {
        return ((Number) SparkEnv.get()
                        .metricsSystem()
                        .getSourcesByName("plugin." + TailracePlugin.class.getName())
                        .head()
                        .metricRegistry()
                        .getGauges()
                        .get(gauge)
                        .getValue())
                .longValue();
    }

    Counts plus(Counts other) {
        return new Counts(
                0,
                streamed + other.streamed,
                inline + other.inline,
                fallbacks + other.fallbacks,
                refused + other.refused,
                liveBytes + other.liveBytes,
                Math.max(peakLiveBytes, other.peakLiveBytes));
    }
}
