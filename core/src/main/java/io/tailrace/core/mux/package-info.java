// SPDX-License-Identifier: Apache-2.0
/** Many results on one connection: what both sides keep, without channels, clocks or threads. */
@NullMarked
package io.tailrace.core.mux;

import org.jspecify.annotations.NullMarked;
