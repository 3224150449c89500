// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkConf;
import org.apache.spark.Success$;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection is cut in the middle of a result, for good. */
@Full
final class ChannelTest {

    @TempDir
    Path directory;

    /** A job in whose middle the driver receives no more. */
    private JavaFutureAction<List<MidStream>> cut(Cluster cluster) throws Exception {
        JavaFutureAction<List<MidStream>> job = MidStream.values(cluster.spark(), directory, MidStream.Where.WRITTEN)
                .collectAsync();
        MidStream.process(directory);
        cluster.receiver().server().close();
        MidStream.letGo(directory);
        return job;
    }

    @Test
    void resultWhoseChannelIsCutGoesSparksOwnWay() throws Exception {
        try (Cluster cluster = Cluster.start()) {
            BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
            MidStream.assertAll(cut(cluster).get());
            assertTrue(cluster.executors().fallbacks() >= 1);
            // And all that follow, without a wait for a connection that does not come.
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
            assertTrue(ends.stream().allMatch(end -> end.reason() instanceof Success$), ends::toString);
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
            BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
            JavaFutureAction<List<MidStream>> job = cut(cluster);
            ExecutionException thrown = assertThrows(ExecutionException.class, job::get);
            String cause = String.valueOf(thrown.getCause());
            assertTrue(cause.contains("result lost"), cause);
            LockSupport.parkNanos(500_000_000);
            boolean killed = ends.stream()
                    .anyMatch(end -> end.reason() instanceof TaskKilled kill
                            && kill.reason().contains("its result was lost"));
            assertEquals(policy.equals("kill"), killed, ends::toString);
        }
    }
}
