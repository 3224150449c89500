// SPDX-License-Identifier: Apache-2.0

/** What sinks, sources and decoders in a Netty channel share. Hidden: not exported. */
@NullMarked
package io.tailrace.core.netty;

import org.jspecify.annotations.NullMarked;
