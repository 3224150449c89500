// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.tailrace.core.wire.BudgetExhaustedException;
import io.tailrace.core.wire.FailurePhase;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultFailure;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.IOException;

/** What is told of an error: its record in texts and numbers, and whether a retry may help. */
final class Failures {

    /** Enough to see where it came from; the failure frame has a bound of its own. */
    private static final int STACK_LINES = 24;

    private Failures() {}

    /** A more exact phase than the one the writer was in, where the error itself tells. */
    static FailurePhase phase(FailurePhase writing, Throwable cause) {
        if (cause instanceof ResultTooLargeException) {
            return FailurePhase.LIMIT;
        }
        return cause instanceof BudgetExhaustedException ? FailurePhase.BUDGET : writing;
    }

    static ResultFailure describe(FailurePhase phase, Throwable cause, long payloadBytes, long frames) {
        String className = cause.getClass().getName();
        return new ResultFailure(
                phase, className, text(cause), stack(cause), payloadBytes, frames, retriable(phase, cause));
    }

    private static boolean retriable(FailurePhase phase, Throwable cause) {
        if (phase == FailurePhase.CANCELLED) {
            return false;
        }
        if (cause instanceof ResultException known) {
            return known.retriable();
        }
        return cause instanceof IOException || cause instanceof OutOfMemoryError;
    }

    /** The error is the user's, and so may be its accessors: what they throw must not keep a result from ending. */
    private static String text(Throwable cause) {
        try {
            String text = cause.getMessage();
            return text == null ? "" : text;
        } catch (Throwable e) {
            return "";
        }
    }

    private static String stack(Throwable cause) {
        try {
            StringBuilder text = new StringBuilder();
            StackTraceElement[] trace = cause.getStackTrace();
            for (int i = 0; i < Math.min(trace.length, STACK_LINES); i++) {
                text.append(trace[i]).append('\n');
            }
            return text.toString();
        } catch (Throwable e) {
            return "";
        }
    }
}
