// SPDX-License-Identifier: Apache-2.0
/** What runs in the child JVMs: the driver, the executors, and the two ways a result goes from one to the other. */
@NullMarked
package io.tailrace.examples.collect.child;

import org.jspecify.annotations.NullMarked;
