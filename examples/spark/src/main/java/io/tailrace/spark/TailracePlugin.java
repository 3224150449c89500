// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * The ends of the way that large task results take: {@code spark.plugins=io.tailrace.spark.TailracePlugin}, beside
 * {@link TailraceSerializer}. Without that, or where it would be less safe than Spark itself, nothing is changed and the log says why.
 */
public final class TailracePlugin implements SparkPlugin {

    @Override
    public DriverPlugin driverPlugin() {
        return new DriverSide();
    }

    @Override
    public ExecutorPlugin executorPlugin() {
        return new ExecutorSide();
    }
}
