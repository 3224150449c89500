// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

/** No chunk could be had: the process's budget is held by other results, or its memory is spent. Retriable. */
public final class BudgetExhaustedException extends ResultException {

    private static final long serialVersionUID = 1;

    /** Names the process's budget and how much of it is live. */
    public BudgetExhaustedException(String reason, long budgetBytes, long liveBytes) {
        super(reason, budgetBytes, liveBytes, NONE, null);
    }

    @Override
    public boolean retriable() {
        return true;
    }
}
