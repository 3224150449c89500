// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

/** Which way bytes go through a {@link FaultyProxy}. */
public enum Direction {
    /** From the one that connected, the client. */
    UP,
    /** To it. */
    DOWN
}
