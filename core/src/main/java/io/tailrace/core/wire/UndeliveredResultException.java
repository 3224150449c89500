// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import io.tailrace.core.wire.ResultFate.Verdict;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A result that did not come to count on the other side of its connection, seen by its sender. */
public final class UndeliveredResultException extends ResultException {

    private static final long serialVersionUID = 1;

    private final ResultFate fate;

    /** @throws IllegalArgumentException when the fate is that it was accepted */
    public UndeliveredResultException(
            ResultFate fate, long offset, @Nullable ResultId resultId, @Nullable Throwable cause) {
        super(summary(fate), NONE, NONE, offset, resultId);
        this.fate = fate;
        initCause(cause);
    }

    public ResultFate fate() {
        return fate;
    }

    @Override
    public boolean retriable() {
        return fate.retriable();
    }

    private static String summary(ResultFate fate) {
        if (fate.verdict() == Verdict.ACCEPTED) {
            throw new IllegalArgumentException("the result was accepted");
        }
        String told = "result " + fate.verdict().name().toLowerCase(Locale.ROOT);
        return fate.reason().isEmpty() ? told : told + ": " + fate.reason();
    }
}
