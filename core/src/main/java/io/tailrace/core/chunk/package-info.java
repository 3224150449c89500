// SPDX-License-Identifier: Apache-2.0

/**
 * The process's chunk memory: {@link io.tailrace.core.chunk.ChunkPool} and what it hands out.
 *
 * <p>A <em>budget</em> bounds the process, a <em>window</em> bounds a result; both are counted in whole chunks, by
 * capacity, and both are readable as numbers. A chunk counts from the moment it is acquired until its last reference
 * is released, by whichever thread that is.
 */
@NullMarked
package io.tailrace.core.chunk;

import org.jspecify.annotations.NullMarked;
