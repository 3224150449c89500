// SPDX-License-Identifier: Apache-2.0
/** The receiver against hostile bytes: what {@code ResultReader} and {@code ResultDecoder} do with every stream but the right one. */
@NullMarked
package io.tailrace.core.reading;

import org.jspecify.annotations.NullMarked;
