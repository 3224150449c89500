// SPDX-License-Identifier: Apache-2.0
/** The launcher of the collect job: options, child JVMs, progress, summary and picture. */
@NullMarked
package io.tailrace.examples.collect;

import org.jspecify.annotations.NullMarked;
