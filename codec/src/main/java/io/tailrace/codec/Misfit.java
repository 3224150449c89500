// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.Iterator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Why a value does not fit, on its way up through the codecs, each of which puts in front where it was. At the top it
 * becomes the exception that the caller knows; only there is it asked whether it was a sink or a source that threw, whose
 * exception is then told as it was.
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
        return beyond(reason, limit, actual, ResultException.NONE);
    }

    static Misfit beyond(String reason, long limit, long actual, long offset) {
        return new Misfit(true, reason, limit, actual, offset, null);
    }

    static Misfit missing() {
        return malformed("null where none may be", ResultException.NONE);
    }

    /** Inside the codecs nobody looks at where it was thrown; its path is what counts. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }

    /** The same, one step further up. An Error stays what it is. */
    static Misfit under(Throwable thrown, String step) {
        if (thrown instanceof Error error) {
            throw error;
        }
        Misfit misfit;
        if (thrown instanceof Misfit already) {
            misfit = already;
        } else if (thrown instanceof MalformedDataException e) {
            misfit = new Misfit(false, e.reason(), e.limit(), e.actual(), e.offset(), e);
        } else if (thrown instanceof ResultTooLargeException e) {
            misfit = new Misfit(true, e.reason(), e.limit(), e.actual(), e.offset(), e);
        } else {
            misfit = new Misfit(
                    false, thrown.toString(), ResultException.NONE, ResultException.NONE, ResultException.NONE, thrown);
        }
        misfit.prepend(step);
        return misfit;
    }

    /** The same of a whole in which what was read begins there. */
    Misfit behind(long start) {
        long place = offset == ResultException.NONE ? offset : start + offset;
        return new Misfit(tooLarge, reason, limit, actual, place, getCause());
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

    /** What a source gives, whose own failure is the value's. */
    static <E> Iterator<E> iterator(Supplier<Iterator<E>> source, WireOutput wire) throws IOException {
        try {
            return source.get();
        } catch (RuntimeException e) {
            throw under(e, "").told(wire);
        }
    }

    /** What the caller of a writer is told. */
    IOException told(WireOutput wire) {
        return wire.passedOn(getCause()) ? passedOn() : told(wire.written(), wire.resultId());
    }

    /** What the caller of a reader is told. */
    IOException told(WireInput wire) {
        return wire.passedOn(getCause()) ? passedOn() : told(wire.position(), wire.resultId());
    }

    private IOException passedOn() {
        if (getCause() instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        return getCause() instanceof IOException e ? e : this;
    }

    /** {@code at} stands in where no offset is known. */
    private ResultException told(long at, @Nullable ResultId id) {
        String where = path.length() == 0 ? reason : path + ": " + reason;
        long place = offset == ResultException.NONE ? at : offset;
        ResultException told = tooLarge
                ? new ResultTooLargeException(where, limit, actual, place, id)
                : new MalformedDataException(where, limit, actual, place, id);
        if (getCause() != null) {
            told.initCause(getCause());
        }
        return told;
    }
}
