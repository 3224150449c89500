// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/**
 * No chunk could be had: the process's budget is held by other results, or its memory is spent. So may be that of an allocator
 * which a codec was given, and the disk budget for spilled results. Retriable.
 */
public final class BudgetExhaustedException extends ResultException {

    private static final long serialVersionUID = 1;

    /** Names the process's budget and how much of it is live, and the result that went without, if it is one. */
    public BudgetExhaustedException(String reason, long budgetBytes, long liveBytes, @Nullable ResultId resultId) {
        super(reason, budgetBytes, liveBytes, NONE, resultId);
    }

    @Override
    public boolean retriable() {
        return true;
    }
}
