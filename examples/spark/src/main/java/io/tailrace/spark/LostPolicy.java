// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Locale;
import org.apache.spark.SparkConf;

/** What becomes of a task whose result was lost with its connection, or never had one: {@code spark.tailrace.onLostChannel}. */
enum LostPolicy {
    /** The value is serialised again, as Spark would have done it. */
    STOCK,
    /** The task fails, which counts. */
    FAIL,
    /** The task is killed, which does not count, until it has been tried too often; then it fails. */
    KILL;

    static LostPolicy of(SparkConf conf) {
        String name = conf.get(Settings.ON_LOST_CHANNEL, "stock");
        try {
            return valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    Settings.ON_LOST_CHANNEL + "=" + name + ": stock, fail or kill is meant", e);
        }
    }
}
