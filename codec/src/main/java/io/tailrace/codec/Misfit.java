// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Why a value does not fit, on its way up through the codecs, each of which puts in front where it was. At the top it
 * becomes the exception that the caller knows. What a sink or a source threw passes through as it is.
 */
final class Misfit extends IOException {

    private static final long serialVersionUID = 1;
    private static final int MAX_PATH = 1_000;
    private static final int MAX_STEP = 100;

    private final transient StringBuilder path = new StringBuilder();
    private final boolean tooLarge;
    private final String reason;
    private final long limit;
    private final long actual;
    private final long offset;

    private Misfit(boolean tooLarge, String reason, long limit, long actual, long offset, @Nullable Throwable cause) {
        super(reason, cause);
        this.tooLarge = tooLarge;
        this.reason = reason;
        this.limit = limit;
        this.actual = actual;
        this.offset = offset;
    }

    static Misfit malformed(String reason, long offset) {
        return new Misfit(false, reason, ResultException.NONE, ResultException.NONE, offset, null);
    }

    static Misfit malformed(String reason, long limit, long actual, long offset) {
        return new Misfit(false, reason, limit, actual, offset, null);
    }

    static Misfit beyond(String reason, long limit, long actual) {
        return new Misfit(true, reason, limit, actual, ResultException.NONE, null);
    }

    static Misfit missing() {
        return malformed("null where none may be", ResultException.NONE);
    }

    /** Inside the codecs nobody looks at where it was thrown; its path is what counts. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }

    /** The same, one step further up. An Error, and an IOException that is not about the value, stay what they are. */
    static IOException under(Throwable thrown, String step) {
        if (thrown instanceof Error error) {
            throw error;
        }
        Misfit misfit;
        if (thrown instanceof Misfit already) {
            misfit = already;
        } else if (thrown instanceof MalformedDataException e) {
            misfit = new Misfit(false, e.reason(), e.limit(), e.actual(), e.offset(), e);
        } else if (thrown instanceof ResultTooLargeException e && e.reason().startsWith("value")) {
            misfit = new Misfit(true, e.reason(), e.limit(), e.actual(), e.offset(), e);
        } else if (thrown instanceof IOException e) {
            return e;
        } else {
            misfit = new Misfit(
                    false, thrown.toString(), ResultException.NONE, ResultException.NONE, ResultException.NONE, thrown);
        }
        misfit.prepend(step);
        return misfit;
    }

    private void prepend(String whole) {
        String step = whole.length() <= MAX_STEP ? whole : whole.substring(0, MAX_STEP) + "…";
        if (step.isEmpty() || path.length() > MAX_PATH) {
            return;
        }
        if (path.length() > 0 && path.charAt(0) != '[') {
            path.insert(0, '.');
        }
        path.insert(0, step);
    }

    /** What the caller is told; {@code at} stands in where no offset is known. */
    ResultException told(long at) {
        String where = path.length() == 0 ? reason : path + ": " + reason;
        long place = offset == ResultException.NONE ? at : offset;
        ResultException told = tooLarge
                ? new ResultTooLargeException(where, limit, actual, place, null)
                : new MalformedDataException(where, limit, actual, place, null);
        if (getCause() != null) {
            told.initCause(getCause());
        }
        return told;
    }
}
