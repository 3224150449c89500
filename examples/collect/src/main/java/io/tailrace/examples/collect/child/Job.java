// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

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
 * @param scale TPC-H's scale factor
 * @param text the file whose lines are the input; null for TPC-H
 * @param lz4 whether chunks are compressed
 * @param threaded whether an executor sends on a thread of its own
 * @param to the beginning of the result files' names; null if results go to a driver
 * @param from the result files that the driver reads; empty if results come from executors
 */
public record Job(
        Mode mode,
        double scale,
        @Nullable String text,
        int executors,
        int tasks,
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
