// SPDX-License-Identifier: Apache-2.0
/** The independent referee of the frame format: written from FRAME_FORMAT.md, knowing none of the classes it judges. */
@NullMarked
package io.tailrace.core.testing;

import org.jspecify.annotations.NullMarked;
