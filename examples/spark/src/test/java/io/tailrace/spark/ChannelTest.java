// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskEndReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection is cut in the middle of a result, for good. */
@Full
@Tag("cluster")
final class ChannelTest {

    @TempDir
    Path directory;

    private JavaRDD<MidStream> values(Cluster cluster, MidStream.Where where) {
        String in = directory.toString();
        return cluster.spark().parallelize(List.of(0, 1, 2), 3).map(partition -> MidStream.of(in, partition, where));
    }

    private static List<Integer> partitions(List<MidStream> values) {
        return values.stream().map(MidStream::partition).toList();
    }

    /** Why tasks ended, as Spark's listeners are told. */
    private static BlockingQueue<TaskEndReason> ends(Cluster cluster) {
        BlockingQueue<TaskEndReason> ends = new LinkedBlockingQueue<>();
        cluster.spark().sc().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd ended) {
                ends.add(ended.reason());
            }
        });
        return ends;
    }

    @Test
    void resultWhoseChannelIsCutGoesSparksOwnWay() throws Exception {
        try (Cluster cluster = Cluster.start()) {
            JavaFutureAction<List<MidStream>> job =
                    values(cluster, MidStream.Where.WRITTEN).collectAsync();
            MidStream.process(directory);
            cluster.receiver().server().close();
            MidStream.letGo(directory);
            assertEquals(List.of(0, 1, 2), partitions(job.get()));
            assertTrue(cluster.executors().fallbacks() >= 1);
            // And all that follow, without a wait for a connection that does not come.
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fail", "kill"})
    void resultWhoseChannelIsCutEndsItsTaskWhereThatIsWanted(String policy) throws Exception {
        SparkConf conf = Cluster.conf(Cluster.TWO_EXECUTORS)
                .set("spark.tailrace.connectTimeout", "1s")
                .set("spark.tailrace.maxKilledAttempts", "2")
                .set(Settings.ON_LOST_CHANNEL, policy);
        try (Cluster cluster = Cluster.start(conf)) {
            BlockingQueue<TaskEndReason> ends = ends(cluster);
            JavaFutureAction<List<MidStream>> job =
                    values(cluster, MidStream.Where.WRITTEN).collectAsync();
            MidStream.process(directory);
            cluster.receiver().server().close();
            MidStream.letGo(directory);
            ExecutionException thrown = assertThrows(ExecutionException.class, job::get);
            String cause = String.valueOf(thrown.getCause());
            assertTrue(cause.contains("result lost"), cause);
            LockSupport.parkNanos(500_000_000);
            boolean killed = ends.stream()
                    .anyMatch(end ->
                            end instanceof TaskKilled kill && kill.reason().contains("its result was lost"));
            assertEquals(policy.equals("kill"), killed, ends::toString);
        }
    }
}
