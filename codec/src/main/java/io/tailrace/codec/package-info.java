// SPDX-License-Identifier: Apache-2.0
/** Typed codecs: the meaning of a payload's bytes. */
@NullMarked
package io.tailrace.codec;

import org.jspecify.annotations.NullMarked;
