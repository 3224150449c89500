// SPDX-License-Identifier: Apache-2.0
/** For executors and drivers: open a result, write it, finish it; read it. */
@NullMarked
package io.tailrace.core;

import org.jspecify.annotations.NullMarked;
