// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/** A result, or one value in it, beyond a limit. Not retriable: it would be as large again. */
public final class ResultTooLargeException extends ResultException {

    private static final long serialVersionUID = 1;

    public ResultTooLargeException(String reason, long limit, long actual, long offset, @Nullable ResultId resultId) {
        super(reason, limit, actual, offset, resultId);
    }

    @Override
    public boolean retriable() {
        return false;
    }
}
