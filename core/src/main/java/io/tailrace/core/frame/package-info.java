// SPDX-License-Identifier: Apache-2.0

/**
 * The bytes of FRAME_FORMAT.md: {@link io.tailrace.core.frame.FrameLayout} has every number,
 * {@link io.tailrace.core.frame.FrameSealer} writes headers, {@link io.tailrace.core.frame.FrameAssembler} puts frames
 * together and {@link io.tailrace.core.frame.FrameOpener} judges them. Hidden: not exported.
 */
@NullMarked
package io.tailrace.core.frame;

import org.jspecify.annotations.NullMarked;
