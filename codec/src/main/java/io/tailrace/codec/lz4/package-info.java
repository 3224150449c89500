// SPDX-License-Identifier: Apache-2.0
/** LZ4 block compression of chunks. */
@NullMarked
package io.tailrace.codec.lz4;

import org.jspecify.annotations.NullMarked;
