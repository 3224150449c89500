// SPDX-License-Identifier: Apache-2.0
/** Values by a Fory of the caller's, straight into the chunks. */
@NullMarked
package io.tailrace.codec.fory;

import org.jspecify.annotations.NullMarked;
