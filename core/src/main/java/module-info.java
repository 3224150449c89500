// SPDX-License-Identifier: Apache-2.0
/** Moves a task's result, encoded once, in a bounded number of chunks. */
module io.tailrace.core {
    requires transitive io.netty.buffer;
    requires io.netty.common;
    requires org.jctools.core.jdk11;
    requires static io.netty.handler;
    requires static io.netty.transport;
    requires static micrometer.core;
    requires jdk.jfr;
    requires static org.jspecify;

    exports io.tailrace.core;
    exports io.tailrace.core.chunk;
    exports io.tailrace.core.sink;
    exports io.tailrace.core.transport;
    exports io.tailrace.core.wire;
}
