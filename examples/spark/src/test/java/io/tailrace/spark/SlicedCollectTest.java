// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.serializer.KryoSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import scala.Tuple2;

/** Ordinary jobs whose arrays are written slice by slice. */
@Full
final class SlicedCollectTest {

    private static final int EACH = 100_000;

    private static Cluster cluster;

    private static SparkConf conf() {
        return Cluster.conf(Cluster.TWO_EXECUTORS).set(Settings.SLICE_ARRAYS, "true");
    }

    @BeforeAll
    static void start() {
        cluster = Cluster.start(conf());
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void nothingIsLeft() {
        cluster.assertNothingIsLeft();
    }

    private static long receivedBytes(Cluster cluster) {
        return cluster.receiver().meters().receivedBytes().getCount();
    }

    private static Tuple2<Integer, String> row(int i) {
        return i % 1000 == 7 ? null : new Tuple2<>(i, "S" + i % 977);
    }

    private static JavaRDD<Tuple2<Integer, String>> rows(Cluster cluster) {
        return cluster.spark()
                .parallelize(List.of(0, 1), 2)
                .flatMap(partition -> IntStream.range(0, EACH)
                        .mapToObj(i -> row(partition * EACH + i))
                        .iterator());
    }

    private static void assertRows(List<Tuple2<Integer, String>> rows) {
        assertEquals(2 * EACH, rows.size());
        assertNull(rows.get(7));
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(row(i), rows.get(i));
        }
    }

    @Test
    void objectsComeInOrder() {
        long before = cluster.received();
        assertRows(rows(cluster).collect());
        assertEquals(2, cluster.received() - before);
        Values.assertBlocks(Values.blocks(cluster.spark(), 4, 48).collect(), 4, 48);
    }

    @Test
    void arraysOfPrimitivesComeWhole() {
        long before = receivedBytes(cluster);
        double[] doubles = (double[]) cluster.spark()
                .parallelize(List.of(0, 1), 2)
                .flatMapToDouble(partition -> IntStream.range(0, 2 * EACH)
                        .mapToDouble(i -> i + 2.0 * EACH * partition)
                        .iterator())
                .srdd()
                .collect();
        assertEquals(4 * EACH, doubles.length);
        assertEquals(4 * EACH - 1, doubles[4 * EACH - 1]);
        // Each a stream header, the description of the class, a length and the elements.
        assertEquals(2 * (27 + 2L * EACH * Double.BYTES), receivedBytes(cluster) - before);
    }

    @Test
    void smallArraysAreLeftAlone() {
        cluster.awaitExecutors();
        Counts before = cluster.executors();
        List<Integer> some = cluster.spark().parallelize(List.of(1, 2, 3, 4), 2).collect();
        assertEquals(List.of(1, 2, 3, 4), some);
        Counts after = cluster.executors();
        assertEquals(before.streamed(), after.streamed());
        assertEquals(2 + 2, after.inline() - before.inline());
    }

    @Test
    void elementThatCannotBeSerialisedFailsTheJobWithoutAnotherAttempt() {
        JavaRDD<Object> values = cluster.spark()
                .parallelize(List.of(0), 1)
                .flatMap(i -> List.<Object>of(new byte[4 << 20], "between", new Object())
                        .iterator());
        SparkException thrown = assertThrows(SparkException.class, values::collect);
        assertTrue(
                thrown.getMessage().contains("had a not serializable result: java.lang.Object"), thrown.getMessage());
    }

    private static final class Unreadable implements Serializable {
        private static final long serialVersionUID = 1;

        private void readObject(ObjectInputStream in) throws IOException {
            throw new InvalidObjectException("it is not as it was");
        }
    }

    @Test
    void elementThatCannotBeReadAbortsTheJobWithItsReason() {
        JavaRDD<Object> values = cluster.spark()
                .parallelize(List.of(0), 1)
                .flatMap(i -> List.<Object>of(new byte[4 << 20], "between", new Unreadable())
                        .iterator());
        SparkException thrown = assertThrows(SparkException.class, values::collect);
        assertTrue(thrown.getMessage().contains("it is not as it was"), thrown.getMessage());
    }

    @Test
    void kryoDoesTheWork() {
        SparkConf conf = conf().set(Settings.SERIALIZER, KryoSerializer.class.getName())
                .set("spark.kryo.registrationRequired", "true")
                .set("spark.kryo.classesToRegister", "scala.Tuple2");
        cluster.close();
        try (Cluster kryo = Cluster.start(conf)) {
            assertRows(rows(kryo).collect());
            assertEquals(2, kryo.received());
            JavaRDD<Object> values = kryo.spark()
                    .parallelize(List.of(0), 1)
                    .flatMap(i -> List.<Object>of(new byte[4 << 20], "between", new LongAdder())
                            .iterator());
            SparkException thrown = assertThrows(SparkException.class, values::collect);
            assertTrue(thrown.getMessage().contains("Class is not registered"), thrown.getMessage());
        } finally {
            start();
        }
    }
}
