// SPDX-License-Identifier: Apache-2.0
/** Sends large task results of an unmodified Apache Spark through Tailrace. */
@NullMarked
package io.tailrace.spark;

import org.jspecify.annotations.NullMarked;
