// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.io.Serializable;

/**
 * What is known of a task only after its last row: it travels behind the rows.
 *
 * @param tasks how many tasks the job has, so that whoever reads files back sees that one is missing
 * @param scale TPC-H's scale factor, 0 for other rows
 * @param nanos from the task's start to its last row
 */
record TaskMetrics(int tasks, double scale, long rows, long nanos, long peakLiveBytes, long liveHeapBytes)
        implements Serializable {

    private static final long serialVersionUID = 1;

    void write(WireOutput out) throws IOException {
        out.writeInt(tasks);
        out.writeDouble(scale);
        out.writeLong(rows);
        out.writeLong(nanos);
        out.writeLong(peakLiveBytes);
        out.writeLong(liveHeapBytes);
    }

    static TaskMetrics read(WireInput in) throws IOException {
        return new TaskMetrics(
                in.readInt(), in.readDouble(), in.readLong(), in.readLong(), in.readLong(), in.readLong());
    }
}
