// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import org.jspecify.annotations.Nullable;

/**
 * This process's ends, where serializers find them: Spark makes serializers and plugins apart and tells neither of the other. In
 * local mode a process has both.
 *
 * <p><b>Threads.</b> Any. An end is set whole and taken away before it is closed.
 */
final class Ends {

    private static volatile @Nullable Sending sending;
    private static volatile @Nullable Receiver receiver;

    private Ends() {}

    /** An executor's; null where large results go Spark's own way. */
    static @Nullable Sending sending() {
        return sending;
    }

    static void sending(@Nullable Sending end) {
        sending = end;
    }

    /** A driver's. */
    static @Nullable Receiver receiver() {
        return receiver;
    }

    static void receiver(@Nullable Receiver end) {
        receiver = end;
    }
}
