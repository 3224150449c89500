// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Iterator;

/**
 * Elements that arrive: {@code hasNext} waits for the next one, or for the job's end, and throws what failed the job.
 *
 * <p><b>Threads.</b> One thread at a time; any thread closes.
 */
public interface ElementIterator<T> extends Iterator<T>, AutoCloseable {

    /** Cancels the job, unless it has ended. */
    @Override
    void close();
}
