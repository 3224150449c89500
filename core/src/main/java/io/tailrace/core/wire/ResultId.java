// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.Serializable;
import java.util.Objects;

/**
 * The name of one result: the job, stage, task and attempt whose outcome it carries. All numbers are allowed.
 *
 * @param job at most 255 bytes of UTF-8, which is checked when the result is opened
 */
public record ResultId(String job, long stage, long task, int attempt) implements Serializable {

    public ResultId {
        Objects.requireNonNull(job, "job");
    }

    @Override
    public String toString() {
        return job + '/' + stage + '/' + task + '#' + attempt;
    }
}
