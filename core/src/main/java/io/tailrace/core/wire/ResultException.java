// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The end of a result that is not a success; says why, how much was allowed, and where. */
public abstract sealed class ResultException extends IOException
        permits MalformedDataException,
                TruncatedResultException,
                ResultTooLargeException,
                ResultFailedException,
                BudgetExhaustedException,
                ResultCancelledException,
                UndeliveredResultException {

    /** Stands for a limit, an amount or an offset that the failure does not have. */
    public static final long NONE = -1;

    private static final long serialVersionUID = 1;

    private final String reason;
    private final long limit;
    private final long actual;
    private final long offset;
    private final @Nullable ResultId resultId;

    ResultException(String reason, long limit, long actual, long offset, @Nullable ResultId resultId) {
        super(compose(reason, limit, actual, offset, resultId));
        this.reason = reason;
        this.limit = limit;
        this.actual = actual;
        this.offset = offset;
        this.resultId = resultId;
    }

    private static String compose(String reason, long limit, long actual, long offset, @Nullable ResultId resultId) {
        StringBuilder text = new StringBuilder(reason);
        if (limit != NONE || actual != NONE) {
            text.append(" (");
            if (limit != NONE) {
                text.append("limit ").append(limit).append(actual != NONE ? ", " : "");
            }
            if (actual != NONE) {
                text.append("actual ").append(actual);
            }
            text.append(')');
        }
        if (offset != NONE) {
            text.append(" at offset ").append(offset);
        }
        if (resultId != null) {
            text.append(offset != NONE ? " of result " : " in result ").append(resultId);
        }
        return text.toString();
    }

    /** What went wrong, without the numbers that {@link #getMessage()} adds. */
    public final String reason() {
        return reason;
    }

    /** The amount allowed, or {@link #NONE}. */
    public final long limit() {
        return limit;
    }

    /** The amount met, or {@link #NONE}. */
    public final long actual() {
        return actual;
    }

    /** The byte where it happened, counted from the start of what the thrower reads or writes, or {@link #NONE}. */
    public final long offset() {
        return offset;
    }

    /** Null when the result's OPEN frame was not read yet, and in code that does not know of results. */
    public final @Nullable ResultId resultId() {
        return resultId;
    }

    /** Whether the same task, run again, may well succeed. */
    public abstract boolean retriable();
}
