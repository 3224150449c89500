// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.netty;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.EventExecutorGroup;

/** Who may wait for a channel: no thread that the channel may be waiting for. */
public final class NettyThreads {

    private NettyThreads() {}

    /** Refuses the executor's thread and those of its whole group. */
    public static void requireOther(EventExecutor executor) {
        boolean inside = executor.inEventLoop();
        EventExecutorGroup group = executor.parent();
        if (!inside && group != null) {
            for (EventExecutor other : group) {
                inside |= other.inEventLoop();
            }
        }
        if (inside) {
            throw new IllegalStateException(
                    "an event loop must not wait for a channel: read and write on other threads");
        }
    }
}
