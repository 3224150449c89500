// SPDX-License-Identifier: Apache-2.0

/**
 * Many results on one connection, as a protocol alone: no channel, no clock and no thread of its own.
 *
 * <p>A {@link io.tailrace.core.mux.Connection} is told what came and what time it is, and says what to write to its
 * {@link io.tailrace.core.mux.Link}. A network's event loop, a pair of queues in one process and a simulation run the same
 * code. Everything here belongs to the connection's loop, except where a class says what other threads may call.
 */
@NullMarked
package io.tailrace.core.mux;

import org.jspecify.annotations.NullMarked;
