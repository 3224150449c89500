// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/**
 * A result that its sender gave up, as the FAILURE frame records it. On the sender's side the cause is the error itself;
 * on the receiver's side there is none, and {@link #failure()} holds the texts that came.
 */
public final class ResultFailedException extends ResultException {

    private static final long serialVersionUID = 1;

    private final ResultFailure failure;

    public ResultFailedException(ResultFailure failure, @Nullable ResultId resultId, @Nullable Throwable cause) {
        super(failure.summary(), NONE, NONE, Math.max(NONE, failure.payloadBytes()), resultId);
        this.failure = failure;
        initCause(cause);
    }

    public ResultFailure failure() {
        return failure;
    }

    @Override
    public boolean retriable() {
        return failure.retriable();
    }
}
