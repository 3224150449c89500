// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec.java;

import io.tailrace.core.wire.MalformedDataException;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultTooLargeException;
import io.tailrace.core.wire.WireInput;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.ObjectInputFilter;
import org.jspecify.annotations.Nullable;

/** The caller's filter, with limits in front, which remembers why it refused: the JDK only says that it did. */
final class Guard implements ObjectInputFilter {

    /** Bytes of arrays for each byte received that are nothing to wonder at: a null in an array of objects takes one and makes 4. */
    private static final int HONEST = 8;

    private final WireInput in;
    private final long start;
    private final ObjectInputFilter filter;
    private final int maxDepth;
    private final long maxArrayBytes;
    private long arrayBytes;
    private @Nullable ResultException refusal;

    Guard(WireInput in, JavaCodecs.Builder settings) {
        this.in = in;
        this.start = in.position();
        this.filter = settings.filter;
        this.maxDepth = settings.maxDepth;
        this.maxArrayBytes = settings.maxArrayBytes;
    }

    @Override
    public Status checkInput(FilterInfo info) {
        if (info.depth() > maxDepth) {
            return refuse("nested too deep", maxDepth, info.depth());
        }
        if (info.arrayLength() >= 0 && !admits(info)) {
            return Status.REJECTED;
        }
        Status status = filter.checkInput(info);
        Class<?> type = info.serialClass();
        if (status == Status.ALLOWED || (status == Status.UNDECIDED && (type == null || isPrimitive(type)))) {
            return Status.ALLOWED;
        }
        String what = type == null ? "an object" : "class " + type.getName();
        refusal = new MalformedDataException(
                what + (status == Status.REJECTED ? " is rejected by the filter" : " is not allowed by the filter"),
                in.position(),
                in.resultId());
        return Status.REJECTED;
    }

    private boolean admits(FilterInfo info) {
        long bytes = info.arrayLength() * width(info.serialClass());
        arrayBytes += bytes;
        long ahead = arrayBytes - HONEST * (in.position() - start);
        if (ahead > maxArrayBytes) {
            refuse("array too large ahead of its bytes", maxArrayBytes, ahead);
            return false;
        }
        if (bytes > in.valueLimit()) {
            refuse("value too large", in.valueLimit(), bytes);
            return false;
        }
        return true;
    }

    private Status refuse(String reason, long limit, long actual) {
        refusal = new ResultTooLargeException(reason, limit, actual, in.position(), in.resultId());
        return Status.REJECTED;
    }

    private static boolean isPrimitive(Class<?> type) {
        Class<?> innermost = type;
        while (innermost.isArray()) {
            innermost = innermost.getComponentType();
        }
        return innermost.isPrimitive();
    }

    private static long width(@Nullable Class<?> array) {
        Class<?> component = array == null ? null : array.getComponentType();
        if (component == byte.class || component == boolean.class) {
            return Byte.BYTES;
        }
        if (component == short.class || component == char.class) {
            return Short.BYTES;
        }
        return component == long.class || component == double.class ? Long.BYTES : Integer.BYTES;
    }

    /** What is to be thrown for an object that was refused: what this guard knows of it, if it was this guard. */
    IOException refused(InvalidClassException thrown) {
        ResultException known = refusal;
        if (known == null) {
            return thrown;
        }
        if (known.getCause() == null) {
            known.initCause(thrown);
        }
        return known;
    }
}
