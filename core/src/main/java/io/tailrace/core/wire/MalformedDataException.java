// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.wire;

import org.jspecify.annotations.Nullable;

/** Bytes that are not what the format asks for, or a value that the format has no bytes for. Not retriable. */
public final class MalformedDataException extends ResultException {

    private static final long serialVersionUID = 1;

    private final boolean framingLost;

    public MalformedDataException(String reason, long offset) {
        this(reason, offset, null);
    }

    public MalformedDataException(String reason, long offset, @Nullable ResultId resultId) {
        this(reason, NONE, NONE, offset, resultId);
    }

    public MalformedDataException(String reason, long limit, long actual, long offset, @Nullable ResultId resultId) {
        this(reason, limit, actual, offset, resultId, false);
    }

    private MalformedDataException(
            String reason, long limit, long actual, long offset, @Nullable ResultId resultId, boolean framingLost) {
        super(reason, limit, actual, offset, resultId);
        this.framingLost = framingLost;
    }

    /** The same where no later byte of the stream can be trusted: its connection or file is over. */
    public static MalformedDataException framingLost(
            String reason, long limit, long actual, long offset, @Nullable ResultId resultId) {
        return new MalformedDataException(reason, limit, actual, offset, resultId, true);
    }

    /** Whether all that follows on the stream is lost too; if not, this result alone is. */
    public boolean framingLost() {
        return framingLost;
    }

    @Override
    public boolean retriable() {
        return false;
    }
}
