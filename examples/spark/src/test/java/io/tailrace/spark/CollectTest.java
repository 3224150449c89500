// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkException;
import org.apache.spark.Success$;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.TaskCompletionListener;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import scala.Tuple2;

/** Ordinary jobs, with executors in JVMs of their own. */
@Tag("cluster")
@ExtendWith(SharedCluster.class)
final class CollectTest {

    private final Cluster cluster;

    CollectTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void largeResultsAreStreamedAndComeInOrder() {
        long before = cluster.received();
        Values.assertBlocks(Values.blocks(cluster.spark(), 8, 32).collect(), 8, 32);
        assertEquals(8, cluster.received() - before);
    }

    private record Trade(long id, double price, String symbol) implements Serializable {}

    @Test
    void manySmallObjectsComeInOrder() {
        long before = cluster.received();
        int each = 100_000;
        List<Trade> trades = cluster.spark()
                .parallelize(List.of(0, 1), 2)
                .flatMap(partition -> IntStream.range(0, each)
                        .mapToObj(i -> trade(partition * each + i))
                        .iterator())
                .collect();
        assertEquals(2 * each, trades.size());
        for (int i = 0; i < trades.size(); i++) {
            assertEquals(trade(i), trades.get(i));
        }
        assertEquals(2, cluster.received() - before);
    }

    private static Trade trade(int i) {
        return new Trade(i, i / 100.0, "S" + i % 977);
    }

    @Test
    void smallResultsAreNot() {
        long before = cluster.received();
        JavaRDD<byte[]> blocks = Values.blocks(cluster.spark(), 4, 32);
        assertEquals(128, blocks.count());
        assertEquals(1, blocks.take(1).size());
        assertEquals(
                128L * Values.BLOCK, blocks.map(block -> (long) block.length).reduce(Long::sum));
        assertEquals(before, cluster.received());
    }

    @Test
    void shufflesBroadcastsAndCachedBlocksAreLeftAlone() {
        cluster.awaitExecutors();
        Counts before = cluster.executors();
        long received = cluster.received();
        Broadcast<byte[]> broadcast = cluster.spark().broadcast(new byte[8 << 20]);
        JavaRDD<byte[]> blocks = Values.blocks(cluster.spark(), 4, 48);
        JavaRDD<byte[]> kept = blocks.map(block -> broadcast.value().length > 0 ? block.clone() : block)
                .persist(StorageLevel.MEMORY_ONLY_SER());
        JavaRDD<byte[]> onDisk = kept.map(byte[]::clone).persist(StorageLevel.DISK_ONLY());
        JavaPairRDD<Integer, Iterable<byte[]>> grouped =
                onDisk.mapToPair(block -> new Tuple2<>((int) block[0], block)).groupByKey(4);
        assertEquals(
                4,
                grouped.mapPartitions(rows -> List.of(count(rows)).iterator())
                        .collect()
                        .size());
        assertEquals(192, kept.count());
        assertEquals(192, onDisk.count());
        kept.unpersist();
        onDisk.unpersist();
        Counts after = cluster.executors();
        assertEquals(received, cluster.received());
        assertEquals(before.streamed(), after.streamed());
        // Each task is met once: four of each of the four stages, and the two that counted before.
        assertEquals(16 + 2, after.inline() - before.inline());
    }

    private static int count(Iterator<?> rows) {
        int n = 0;
        for (; rows.hasNext(); rows.next()) {
            n++;
        }
        return n;
    }

    @Test
    void failedTaskIsRunAgainAndItsAccumulatorsCountOnce() {
        LongAccumulator blocks = cluster.spark().sc().longAccumulator();
        List<byte[]> collected = cluster.spark()
                .parallelize(List.of(0, 1, 2, 3), 4)
                .flatMap(partition -> {
                    List<byte[]> made = new ArrayList<>();
                    for (int i = 0; i < 32; i++) {
                        blocks.add(1);
                        made.add(Values.block(partition, i));
                        if (partition == 2 && i == 20 && TaskContext.get().attemptNumber() == 0) {
                            throw new IllegalStateException("the first attempt fails");
                        }
                    }
                    return made.iterator();
                })
                .collect();
        Values.assertBlocks(collected, 4, 32);
        assertEquals(128, blocks.value());
    }

    @Test
    void listenersAreToldOfStreamedResultsAsOfOthers() throws InterruptedException {
        BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
        LongAccumulator completed = cluster.spark().sc().longAccumulator("completed");
        long before = cluster.received();
        Values.assertBlocks(
                Values.blocks(cluster.spark(), 4, 32)
                        .mapPartitions(blocks -> {
                            TaskCompletionListener listener = task -> completed.add(1);
                            TaskContext.get().addTaskCompletionListener(listener);
                            return blocks;
                        })
                        .collect(),
                4,
                32);
        assertEquals(4, cluster.received() - before);
        assertEquals(4, completed.value());
        Set<Integer> partitions = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            SparkListenerTaskEnd end = ends.poll(10, TimeUnit.SECONDS);
            assertNotNull(end, "a task's end was not told within 10 s");
            assertInstanceOf(Success$.class, end.reason());
            assertTrue(partitions.add(end.taskInfo().partitionId()));
            assertTrue(end.taskInfo().accumulables().exists(one -> one.name().contains("completed")));
            assertTrue(end.taskMetrics().resultSize() < 64 << 10, "a token's");
            assertTrue(end.taskMetrics().executorRunTime() > 0);
        }
    }

    @Test
    void notSerializableResultFailsTheJobWithoutAnotherAttempt() {
        // It fails when it is written, behind megabytes that were.
        JavaRDD<Object> values = cluster.spark()
                .parallelize(List.of(0), 1)
                .flatMap(i -> List.<Object>of(new byte[4 << 20], new Object()).iterator());
        SparkException thrown = assertThrows(SparkException.class, values::collect);
        assertTrue(
                thrown.getMessage().contains("had a not serializable result: java.lang.Object"), thrown.getMessage());
    }

    @Test
    void rowsOfADatasetComeWhole() {
        SparkSession session =
                SparkSession.builder().sparkContext(cluster.spark().sc()).getOrCreate();
        long before = cluster.received();
        List<Row> rows = session.range(0, 40_000, 1, 2)
                .selectExpr("id", "sha2(cast(id as string), 512) as hash")
                .collectAsList();
        assertEquals(40_000, rows.size());
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(i, rows.get(i).getLong(0));
        }
        assertEquals(2, cluster.received() - before);
    }
}
