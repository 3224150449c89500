// SPDX-License-Identifier: Apache-2.0
/** Values by a Kryo of the caller's, straight into the chunks. */
@NullMarked
package io.tailrace.codec.kryo;

import org.jspecify.annotations.NullMarked;
