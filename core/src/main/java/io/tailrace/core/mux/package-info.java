// SPDX-License-Identifier: Apache-2.0

/**
 * The protocol of many results on one connection, without channels, clocks or threads. Hidden: not exported.
 */
@NullMarked
package io.tailrace.core.mux;

import org.jspecify.annotations.NullMarked;
