// SPDX-License-Identifier: Apache-2.0
/** Values by Java's own serialisation, straight into the chunks. */
@NullMarked
package io.tailrace.codec.java;

import org.jspecify.annotations.NullMarked;
