// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.junit.jupiter.api.Test;

/** More bytes than an {@code int} counts. */
@Full
final class LargeResultsTest {

    private static final int BLOCKS = (int) ((1L << 31) / Values.BLOCK) + 100;

    private static SparkConf conf() {
        return Cluster.conf("local-cluster[2,1,3072]").set("spark.driver.maxResultSize", "0");
    }

    private static JavaRDD<byte[]> blocks(Cluster cluster) {
        return cluster.spark()
                .parallelize(List.of(0), 1)
                .flatMap(partition -> IntStream.range(0, BLOCKS)
                        .mapToObj(i -> Values.block(partition, i))
                        .iterator());
    }

    @Test
    void elementsOfOneTaskComeOneByOne() {
        try (Cluster cluster = Cluster.start(conf())) {
            int[] next = new int[1];
            StreamingCollect.forEach(blocks(cluster), block -> assertArrayEquals(Values.block(0, next[0]++), block));
            assertEquals(BLOCKS, next[0]);
            cluster.assertNothingIsLeft();
        }
    }

    @Test
    void listOfOneTaskComesWhole() {
        try (Cluster cluster = Cluster.start(conf().set("spark.executor.memory", "3g"))) {
            Values.assertBlocks(blocks(cluster).collect(), 1, BLOCKS);
            assertReceived(1, cluster);
        }
    }

    @Test
    void valuesOfOneJobCome() {
        try (Cluster cluster = Cluster.start(conf())) {
            assertTorrents(8, BLOCKS / 8 + 1, cluster);
            assertTorrents(1, BLOCKS, cluster);
            assertReceived(9, cluster);
        }
    }

    private static void assertTorrents(int tasks, int blocks, Cluster cluster) {
        List<Integer> seeds = IntStream.range(0, tasks).boxed().toList();
        List<Torrent> torrents = cluster.spark()
                .parallelize(seeds, tasks)
                .map(seed -> new Torrent(seed, blocks))
                .collect();
        assertEquals(seeds, torrents.stream().map(Torrent::seed).toList());
    }

    private static void assertReceived(int results, Cluster cluster) {
        assertEquals(results, cluster.received());
        assertTrue(cluster.receiver().meters().receivedBytes().getCount() > 1L << 31);
        assertEquals(0, cluster.executors().fallbacks());
        cluster.assertNothingIsLeft();
    }
}
