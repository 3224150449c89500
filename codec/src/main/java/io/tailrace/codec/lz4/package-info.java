// SPDX-License-Identifier: Apache-2.0
/** LZ4 block compression of frame bodies: one LZ4 <em>block</em> inside a Tailrace frame, never an "LZ4 frame". */
@NullMarked
package io.tailrace.codec.lz4;

import org.jspecify.annotations.NullMarked;
