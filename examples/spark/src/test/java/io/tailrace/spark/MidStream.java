// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.File;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.TaskContext;

/**
 * A value of four megabytes that stands still in the middle, in the first attempt of its task: on its way out, or on its way in. The
 * test sees that by a file, and lets it go by another.
 */
final class MidStream implements Serializable {

    enum Where {
        WRITTEN,
        READ,
        NOWHERE
    }

    private static final long serialVersionUID = 1;
    private static final int HALF = 2 << 20;

    private final String directory;
    private final int partition;
    private Where where;

    MidStream(Path directory, int partition, Where where) {
        this.directory = directory.toString();
        this.partition = partition;
        this.where = where;
    }

    /** The one of this task. */
    static MidStream of(String directory, int partition, Where where) {
        boolean first = partition == 0 && TaskContext.get().attemptNumber() == 0;
        return new MidStream(Path.of(directory), partition, first ? where : Where.NOWHERE);
    }

    int partition() {
        return partition;
    }

    /** The process in which it stands still. */
    static long process(Path directory) throws IOException {
        Path here = directory.resolve("here");
        while (!Files.exists(here)) {
            LockSupport.parkNanos(10_000_000);
        }
        return Long.parseLong(Files.readString(here));
    }

    static void letGo(Path directory) throws IOException {
        Files.createFile(directory.resolve("go"));
    }

    private void stand() throws IOException {
        Path at = Path.of(directory);
        Path part = Files.writeString(
                at.resolve("here.part"), String.valueOf(ProcessHandle.current().pid()));
        Files.move(part, at.resolve("here"));
        File go = at.resolve("go").toFile();
        while (!go.exists()) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        out.write(new byte[HALF]);
        out.flush();
        if (where == Where.WRITTEN) {
            stand();
        }
        out.write(new byte[HALF]);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        in.readFully(new byte[HALF]);
        if (where == Where.READ) {
            where = Where.NOWHERE;
            stand();
        }
        in.readFully(new byte[HALF]);
    }
}
