// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Report;
import java.util.List;

/** How far a run is: what the driver has received, or what the executors have written where there is no driver. */
record Counts(long rows, long payloadBytes, long wireBytes) {

    static Counts of(List<ChildProcess> children) {
        boolean driver = children.stream().anyMatch(child -> child.role() == Role.DRIVER);
        Counts sum = new Counts(0, 0, 0);
        for (ChildProcess child : children) {
            String said = child.last(Report.PROGRESS);
            if (said != null && (child.role() == Role.DRIVER) == driver) {
                String[] numbers = said.split(" ", -1);
                sum = new Counts(
                        sum.rows + Long.parseLong(numbers[0]),
                        sum.payloadBytes + Long.parseLong(numbers[1]),
                        sum.wireBytes + Long.parseLong(numbers[2]));
            }
        }
        return sum;
    }
}
