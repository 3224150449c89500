// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.spark.SparkException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Elements that arrive while they are computed. */
@Tag("cluster")
@ExtendWith(SharedCluster.class)
final class StreamingCollectTest {

    private final Cluster cluster;

    StreamingCollectTest(Cluster cluster) {
        this.cluster = cluster;
    }

    private JavaRDD<Integer> numbers(int partitions, int each) {
        return cluster.spark()
                .parallelize(IntStream.range(0, partitions).boxed().toList(), partitions)
                .flatMap(partition -> IntStream.range(0, each)
                        .mapToObj(i -> partition * each + i)
                        .iterator());
    }

    private static void assertCountsUp(Iterator<Integer> numbers, int to) {
        for (int i = 0; i < to; i++) {
            assertTrue(numbers.hasNext());
            assertEquals(i, numbers.next());
        }
        assertFalse(numbers.hasNext());
    }

    @Test
    void listHasAllElementsInOrder() {
        assertCountsUp(StreamingCollect.collect(numbers(4, 50_000)).iterator(), 200_000);
        assertCountsUp(StreamingCollect.collect(numbers(3, 0)).iterator(), 0);
        assertCountsUp(StreamingCollect.collect(numbers(1, 1)).iterator(), 1);
    }

    @Test
    void listIsHeldToTheLargestResultSizeAndAConsumerIsNot() {
        JavaRDD<byte[]> blocks = Values.blocks(cluster.spark(), 4, 128);
        SparkException thrown = assertThrows(SparkException.class, () -> StreamingCollect.collect(blocks));
        assertTrue(thrown.getMessage().contains("bigger than spark.driver.maxResultSize"), thrown.getMessage());
        long[] bytes = new long[1];
        StreamingCollect.forEach(blocks, block -> bytes[0] += block.length);
        assertEquals(4L * 128 * Values.BLOCK, bytes[0]);
    }

    @Test
    void iteratorGivesPartitionBehindPartition() {
        try (ElementIterator<Integer> numbers =
                StreamingCollect.iterator(numbers(5, 30_000), ElementOrder.BY_PARTITION)) {
            assertCountsUp(numbers, 150_000);
        }
    }

    @Test
    void consumerHasEachElementOnce() {
        Set<Integer> seen = new HashSet<>();
        StreamingCollect.forEach(numbers(4, 25_000), number -> assertTrue(seen.add(number)));
        assertEquals(100_000, seen.size());
    }

    @Test
    void attemptThatBrokeOffIsGoneOnWith() {
        JavaRDD<Integer> numbers = cluster.spark()
                .parallelize(List.of(0, 1), 2)
                .flatMap(partition -> IntStream.range(0, 60_000)
                        .mapToObj(i -> {
                            if (partition == 1
                                    && i == 50_000
                                    && TaskContext.get().attemptNumber() == 0) {
                                throw new IllegalStateException("the first attempt fails");
                            }
                            return partition * 60_000 + i;
                        })
                        .iterator());
        try (ElementIterator<Integer> all = StreamingCollect.iterator(numbers, ElementOrder.BY_PARTITION)) {
            assertCountsUp(all, 120_000);
        }
        assertCountsUp(StreamingCollect.collect(numbers).iterator(), 120_000);
    }

    @Test
    void failedJobIsToldToWhoTakes() {
        JavaRDD<Integer> numbers = numbers(2, 1_000).map(number -> {
            if (number == 1_500) {
                throw new IllegalStateException("always");
            }
            return number;
        });
        SparkException thrown =
                assertThrows(SparkException.class, () -> StreamingCollect.forEach(numbers, number -> {}));
        assertTrue(thrown.getMessage().contains("always"), thrown.getMessage());
    }

    @Test
    void closedIteratorCancelsItsJob() {
        try (ElementIterator<byte[]> blocks = StreamingCollect.iterator(
                Values.blocks(cluster.spark(), 2, 100)
                        .flatMap(block -> List.of(block, block).iterator()),
                ElementOrder.AS_THEY_COME)) {
            assertEquals(Values.BLOCK, blocks.next().length);
        }
        Cluster.await("its job", () -> cluster.spark().statusTracker().getActiveJobIds().length == 0);
    }

    @Test
    void rowsOfADatasetCome() {
        SparkSession session =
                SparkSession.builder().sparkContext(cluster.spark().sc()).getOrCreate();
        List<Long> ids = new ArrayList<>();
        for (Row row : StreamingCollect.collect(
                session.range(0, 20_000, 1, 3).selectExpr("id", "cast(id as string) as text"))) {
            assertEquals(String.valueOf(row.getLong(0)), row.getString(1));
            ids.add(row.getLong(0));
        }
        assertEquals(20_000, ids.size());
        assertEquals(ids.stream().sorted().toList(), ids);
    }
}
