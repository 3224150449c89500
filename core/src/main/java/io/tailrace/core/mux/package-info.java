// SPDX-License-Identifier: Apache-2.0
/** Many results on one connection. */
@NullMarked
package io.tailrace.core.mux;

import org.jspecify.annotations.NullMarked;
