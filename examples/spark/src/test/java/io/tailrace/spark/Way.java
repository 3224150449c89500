// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

/** How a result comes home. */
enum Way {
    STOCK,
    TAILRACE,
    /** {@link Settings#SLICE_ARRAYS}. */
    SLICES,
    FOR_EACH
}
