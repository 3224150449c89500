// SPDX-License-Identifier: Apache-2.0
/** Record batches as an Arrow IPC stream, their bodies by reference. */
@NullMarked
package io.tailrace.codec.arrow;

import org.jspecify.annotations.NullMarked;
