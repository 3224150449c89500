// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.work.LineItems;
import io.tailrace.examples.collect.work.TextLines;
import io.tailrace.examples.collect.work.Work;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The settings that the launcher and all its children share.
 *
 * @param transport how results get to the driver; of no effect where they go to files
 * @param scale TPC-H's scale factor
 * @param text the file whose lines are the input; null for TPC-H
 * @param tasksAtOnce how many tasks an executor runs at a time
 * @param slowSeconds for how long the driver stands still before it reads; then executors spill
 * @param lz4 whether chunks are compressed
 * @param threaded whether an executor sends on a thread of its own
 * @param to the beginning of the result files' names; null if results go to a driver
 * @param from the result files that the driver reads; empty if results come from executors
 */
public record Job(
        Mode mode,
        Transport transport,
        double scale,
        @Nullable String text,
        int executors,
        int tasks,
        int tasksAtOnce,
        double slowSeconds,
        int chunkBytes,
        int window,
        boolean lz4,
        boolean threaded,
        @Nullable String to,
        List<String> from)
        implements Serializable {

    private static final long serialVersionUID = 1;

    /** The two ways a result can take. */
    public enum Mode {
        /** Encoded once, straight into the chunks that go to the wire. */
        TAILRACE,
        /** Serialised to value bytes, those to envelope bytes, those written. */
        STOCK
    }

    /** What is between an executor and the driver. */
    public enum Transport {
        /** One connection, on which the results of all tasks that run at a time are interleaved. */
        MUX,
        /** One connection, on which one result follows another. */
        SOCKET
    }

    /** Chunks in which small results gather. */
    static final int SMALL_RESULTS = 1;

    /** Chunks that a result is expanded through, where it is compressed. */
    private static final int EXPANDING = 2;

    /** Chunks that one plain connection is read through: one that is folded, one that arrives; two more expand. */
    static final int READ_WINDOW = 4;

    /** Whether results are interleaved on one connection. */
    boolean multiplexed() {
        return transport == Transport.MUX && mode == Mode.TAILRACE && to == null && from.isEmpty();
    }

    /** Chunks of credit that a result has: while one is filled there must be another to go on to. */
    int creditWindow() {
        return Math.max(2, window);
    }

    /** The pool's budget: the windows of all results that are under way at a time, and what they share. */
    public long budgetBytes(Role role) {
        long chunks = Math.max(window, (long) READ_WINDOW * executors);
        if (multiplexed()) {
            long results = (long) tasksAtOnce * (role == Role.DRIVER ? executors : 1);
            chunks = role == Role.DRIVER
                    ? Math.max(
                            4L * executors * window, results * (creditWindow() + EXPANDING) + (long) executors * window)
                    : results * window + SMALL_RESULTS;
        }
        return chunks * chunkBytes;
    }

    public Work work() {
        return text == null ? new LineItems(scale, tasks) : new TextLines(Path.of(text), tasks);
    }

    /** The name of the file that the result of a task is written to. */
    public static Path resultFile(String prefix, int task) {
        return Path.of(prefix + "-" + task + ".tailrace");
    }

    public void save(Path file) throws IOException {
        try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
            out.writeObject(this);
        }
    }

    static Job load(Path file) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
            return (Job) in.readObject();
        }
    }
}
