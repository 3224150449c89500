// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import io.tailrace.core.wire.ResultId;

/** A stage's attempt: what Spark counts the size of results by, and so the job of a {@link ResultId}. */
record StageAttempt(int stage, int attempt) {

    /** @throws IllegalArgumentException when the name is none of {@link #job}'s */
    static StageAttempt of(ResultId id) {
        String job = id.job();
        int dot = job.indexOf('.');
        if (dot < 0) {
            throw new IllegalArgumentException("not a stage's attempt: " + job);
        }
        return new StageAttempt(Integer.parseInt(job.substring(0, dot)), Integer.parseInt(job.substring(dot + 1)));
    }

    String job() {
        return stage + "." + attempt;
    }
}
