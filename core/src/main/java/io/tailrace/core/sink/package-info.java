// SPDX-License-Identifier: Apache-2.0
/** Ready places for sealed frames to go to, and to come from. */
@NullMarked
package io.tailrace.core.sink;

import org.jspecify.annotations.NullMarked;
