// SPDX-License-Identifier: Apache-2.0
/** What the packages of other serializers share; hidden. */
@NullMarked
package io.tailrace.codec.elements;

import org.jspecify.annotations.NullMarked;
