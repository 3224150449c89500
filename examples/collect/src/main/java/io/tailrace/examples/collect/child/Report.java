// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

/**
 * What a child tells its launcher: a line on standard output, {@value #MARK}, the name, a space, the text. All other
 * lines are the JVM's or a library's and are shown to the user as they are.
 */
public enum Report {
    /** Where the driver listens. */
    PORT,
    /** Rows, payload bytes and wire bytes so far. */
    PROGRESS,
    /** From a task's start to its first payload byte at the sink, in microseconds; one line a task. */
    FIRST_BYTE,
    /** The most serialised bytes held so far. */
    PEAK_LIVE,
    /** The most heap bytes that outlived a collection so far. */
    LIVE_HEAP,
    /** Pool bytes live now; the most bytes of Netty, of the JDK's direct buffers and on disk. */
    MEMORY,
    /** Results of which a part went to disk. */
    SPILLED,
    /** From an executor's first task to the end of its last, in seconds. */
    TASKS_ENDED,
    /** From the first connection to the last row folded. */
    SECONDS,
    /** Which compressor runs. */
    COMPRESSION,
    /** A line of the answer. */
    ANSWER,
    /** Whether the answer is the expected one: {@code true}, {@code false} or {@code null} when nobody knows. */
    MATCHES,
    /** Why the child ends before its work is done. */
    FAILURE;

    public static final String MARK = "@";

    void say(Object text) {
        System.out.println(MARK + name() + " " + String.valueOf(text).replace('\n', ' '));
    }
}
