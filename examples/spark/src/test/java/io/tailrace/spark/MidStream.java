// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A value of four megabytes that stands still once, in the first attempt of its task: in the middle of its way out or in, or behind
 * it. The test sees that by a file, and lets it go by another.
 */
final class MidStream implements Serializable {

    enum Where {
        WRITTEN,
        READ,
        /** The driver has it, and Spark does not know. */
        ACCEPTED,
        NOWHERE
    }

    private static final long serialVersionUID = 1;
    private static final int HALF = 2 << 20;

    private final String directory;
    private final int partition;
    private Where where;

    private MidStream(String directory, int partition, Where where) {
        this.directory = directory;
        this.partition = partition;
        this.where = where;
    }

    /** Three of them, in as many tasks: the first stands still. */
    static JavaRDD<MidStream> values(JavaSparkContext spark, Path directory, Where where) {
        String in = directory.toString();
        Behind behind = new Behind(in);
        spark.sc().register(behind);
        return spark.parallelize(List.of(0, 1, 2), 3).map(partition -> {
            boolean first = partition == 0 && TaskContext.get().attemptNumber() == 0;
            if (first && where == Where.ACCEPTED) {
                behind.add(1);
            }
            return new MidStream(in, partition, first ? where : Where.NOWHERE);
        });
    }

    static void assertAll(List<MidStream> values) {
        assertEquals(
                List.of(0, 1, 2), values.stream().map(value -> value.partition).toList());
    }

    /** The process in which it stands still. */
    static long process(Path directory) throws IOException {
        Path here = directory.resolve("here");
        Cluster.await("nothing stands still", () -> Files.exists(here));
        return Long.parseLong(Files.readString(here));
    }

    static void letGo(Path directory) throws IOException {
        Files.createFile(directory.resolve("go"));
    }

    static void stand(String directory) throws IOException {
        Path at = Path.of(directory);
        Path go = at.resolve("go");
        if (Files.exists(go)) {
            return; // it is written once more, in Spark's own way
        }
        Path part = Files.writeString(
                at.resolve("here.part"), String.valueOf(ProcessHandle.current().pid()));
        Files.move(part, at.resolve("here"));
        while (!Files.exists(go)) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
        out.defaultWriteObject();
        out.write(new byte[HALF]);
        out.flush();
        if (where == Where.WRITTEN) {
            stand(directory);
        }
        out.write(new byte[HALF]);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
        in.defaultReadObject();
        in.readFully(new byte[HALF]);
        if (where == Where.READ) {
            where = Where.NOWHERE;
            stand(directory);
        }
        in.readFully(new byte[HALF]);
    }
}
