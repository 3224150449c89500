// SPDX-License-Identifier: Apache-2.0
/** The process's budget of chunks, shared by encoders and readers. */
@NullMarked
package io.tailrace.core.chunk;

import org.jspecify.annotations.NullMarked;
