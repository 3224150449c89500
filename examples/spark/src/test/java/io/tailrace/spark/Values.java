// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Results whose every byte is known by the seed. */
final class Values {

    static final int BLOCK = 65_536;

    private Values() {}

    static byte[] block(int partition, int index) {
        byte[] block = new byte[BLOCK];
        new Random(31L * partition + index).nextBytes(block);
        return block;
    }

    static JavaRDD<byte[]> blocks(JavaSparkContext spark, int partitions, int each) {
        return spark.parallelize(IntStream.range(0, partitions).boxed().toList(), partitions)
                .flatMap(partition -> {
                    List<byte[]> blocks = new ArrayList<>();
                    for (int i = 0; i < each; i++) {
                        blocks.add(block(partition, i));
                    }
                    return blocks.iterator();
                });
    }

    static void assertBlocks(List<byte[]> blocks, int partitions, int each) {
        assertEquals(partitions * each, blocks.size());
        for (int i = 0; i < blocks.size(); i++) {
            assertArrayEquals(block(i / each, i % each), blocks.get(i));
        }
    }
}
