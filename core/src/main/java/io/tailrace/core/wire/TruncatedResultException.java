// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/** The stream ended before the result's end frame: the peer died or the file is cut. Retriable. */
public final class TruncatedResultException extends ResultException {

    private static final long serialVersionUID = 1;

    public TruncatedResultException(String reason, long offset, @Nullable ResultId resultId) {
        super(reason, NONE, NONE, offset, resultId);
    }

    @Override
    public boolean retriable() {
        return true;
    }
}
