// SPDX-License-Identifier: Apache-2.0
/** The bytes of a frame: layout, sealing, opening and assembling. */
@NullMarked
package io.tailrace.core.frame;

import org.jspecify.annotations.NullMarked;
