// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

/** In which order the elements of several partitions are given. Those of one keep theirs. */
public enum ElementOrder {
    /** Partition behind partition, as {@code collect} has it; later ones stream as far as their windows reach meanwhile. */
    BY_PARTITION,
    /** Mixed. */
    AS_THEY_COME
}
