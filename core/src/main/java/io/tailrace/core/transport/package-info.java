// SPDX-License-Identifier: Apache-2.0

/** Many results on one connection: who may connect, what is taken from whom, and how it is kept from others' eyes. */
@NullMarked
package io.tailrace.core.transport;

import org.jspecify.annotations.NullMarked;
