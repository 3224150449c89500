// SPDX-License-Identifier: Apache-2.0
/** For codec authors: where a value's bytes are written and read. */
@NullMarked
package io.tailrace.core.wire;

import org.jspecify.annotations.NullMarked;
