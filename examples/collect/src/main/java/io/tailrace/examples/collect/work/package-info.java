// SPDX-License-Identifier: Apache-2.0
/** What tasks make and what the driver folds it into: TPC-H rows into query 1, lines of text into counts. */
@NullMarked
package io.tailrace.examples.collect.work;

import org.jspecify.annotations.NullMarked;
