// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.ObjectOutputStream;
import org.apache.spark.util.AccumulatorV2;

/**
 * An accumulator that stands still on the executor when it is written, if it was added to: Spark writes it behind the task's result,
 * when the driver has that.
 */
final class Behind extends AccumulatorV2<Integer, Integer> {

    private static final long serialVersionUID = 1;

    private final String directory;
    private int count;

    Behind(String directory) {
        this.directory = directory;
    }

    @Override
    public boolean isZero() {
        return count == 0;
    }

    @Override
    public Behind copy() {
        Behind copy = new Behind(directory);
        copy.count = count;
        return copy;
    }

    @Override
    public void reset() {
        count = 0;
    }

    @Override
    public void add(Integer more) {
        count += more;
    }

    @Override
    public void merge(AccumulatorV2<Integer, Integer> other) {
        count += other.value();
    }

    @Override
    public Integer value() {
        return count;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        // A heartbeat writes it too, while the task runs.
        boolean heartbeat = !Thread.currentThread().getName().startsWith("Executor task launch worker");
        if (!isAtDriverSide() && !heartbeat && count > 0) {
            MidStream.stand(directory);
        }
    }
}
