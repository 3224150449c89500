// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/**
 * A result that somebody asked to stop. Not retriable: a cancel is a decision and not an accident, and an engine that
 * repeats the task by itself would undo it.
 */
public final class ResultCancelledException extends ResultException {

    private static final long serialVersionUID = 1;

    public ResultCancelledException(String reason, long offset, @Nullable ResultId resultId) {
        super(reason, NONE, NONE, offset, resultId);
    }

    @Override
    public boolean retriable() {
        return false;
    }
}
