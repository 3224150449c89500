// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.elements;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.WireInput;
import io.tailrace.core.wire.WireOutput;
import java.io.IOException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the caller is told of an exception that came through somebody else's serializer, which may have wrapped ours in its own:
 * a sink's or a source's own failure as it was, one of ours as it was, and anything else as the value's, with offset and result.
 */
public final class ForeignErrors {

    /** A cause chain may be a ring. */
    private static final int MAX_CAUSES = 32;

    private static final int MAX_REASON = 1_000;

    private ForeignErrors() {}

    /** Of what was thrown while writing {@code what}, "[17]" say, or nothing; an Error, a deep nesting apart, is thrown on. */
    public static IOException told(Throwable thrown, String what, WireOutput out) {
        return told(thrown, what, out::passedOn, out.written(), out.resultId());
    }

    /** Of what was thrown while reading. */
    public static IOException told(Throwable thrown, String what, WireInput in) {
        return told(thrown, what, in::passedOn, in.position(), in.resultId());
    }

    private static IOException told(
            Throwable thrown, String what, Predicate<Throwable> passedOn, long at, @Nullable ResultId id) {
        Throwable ours = first(thrown, passedOn);
        if (ours == null) {
            ours = first(thrown, cause -> cause instanceof ResultException);
        }
        if (ours instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (ours instanceof IOException checked) {
            return checked;
        }
        boolean tooDeep = first(thrown, StackOverflowError.class::isInstance) != null;
        Throwable failed = thrown instanceof Error ? thrown : first(thrown, VirtualMachineError.class::isInstance);
        if (!tooDeep && failed instanceof Error error) {
            throw error;
        }
        String reason = tooDeep ? "nested too deep for the stack" : brief(thrown.toString());
        IOException told = new MalformedDataException(what.isEmpty() ? reason : what + ": " + reason, at, id);
        told.initCause(thrown);
        return told;
    }

    /** A serializer may tell of each of the thousands of objects that it was in. */
    private static String brief(String reason) {
        return reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON) + "...";
    }

    private static @Nullable Throwable first(Throwable thrown, Predicate<Throwable> wanted) {
        Throwable cause = thrown;
        for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
            if (wanted.test(cause)) {
                return cause;
            }
            cause = cause.getCause();
        }
        return null;
    }
}
