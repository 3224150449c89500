// SPDX-License-Identifier: Apache-2.0
/** The collect job: many tasks send their results to one driver. */
@NullMarked
package io.tailrace.examples.collect;

import org.jspecify.annotations.NullMarked;
