// SPDX-License-Identifier: Apache-2.0
/** The bounded way of frames from the encoding thread to the sending thread. */
@NullMarked
package io.tailrace.core.handoff;

import org.jspecify.annotations.NullMarked;
