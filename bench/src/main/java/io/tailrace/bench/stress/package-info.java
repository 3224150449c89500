// SPDX-License-Identifier: Apache-2.0
/** Races of the hand-off and of the window under jcstress; built and run by {@code mvn package -Pstress}. */
@NullMarked
package io.tailrace.bench.stress;

import org.jspecify.annotations.NullMarked;
