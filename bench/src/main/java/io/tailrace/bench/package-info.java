// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks, one class a question, each beside the floor that it is to be held against; {@link
 * io.tailrace.bench.Ratios} takes the ratios that are published.
 */
@NullMarked
package io.tailrace.bench;

import org.jspecify.annotations.NullMarked;
