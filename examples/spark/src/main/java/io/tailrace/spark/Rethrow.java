// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

/** Throws as Scala does: Spark judges a task by the very exception, which no wrapper may hide. */
final class Rethrow {

    private Rethrow() {}

    static RuntimeException as(Throwable thrown) {
        throw Rethrow.<RuntimeException>unchecked(thrown);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // that is the trick
    private static <E extends Throwable> E unchecked(Throwable thrown) throws E {
        throw (E) thrown;
    }
}
