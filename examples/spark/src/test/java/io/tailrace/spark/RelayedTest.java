// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.SparkConf;
import org.apache.spark.Success$;
import org.apache.spark.TaskEndReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Executors reach the driver by an address that is not the one where it listens; the connection there is cut, and made again. */
@Full
final class RelayedTest {

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(LostPolicy.class)
    void resultWhoseConnectionWasCutIsHadInTheEndAndOthersAreStreamedAgain(LostPolicy policy) throws Exception {
        try (Relay rpc = Relay.start();
                Relay blocks = Relay.start();
                Relay results = Relay.start();
                Cluster cluster =
                        Cluster.start(conf(rpc, blocks, results).set(Settings.ON_LOST_CHANNEL, policy.name()))) {
            InetSocketAddress listening =
                    (InetSocketAddress) cluster.receiver().server().address();
            assertEquals(Relay.INSIDE, listening.getAddress().getHostAddress());
            assertEquals(results.port(), String.valueOf(listening.getPort()));
            BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
            JavaFutureAction<List<MidStream>> job = MidStream.values(
                            cluster.spark(), directory, MidStream.Where.WRITTEN)
                    .collectAsync();
            MidStream.process(directory);
            results.cut();
            MidStream.letGo(directory);
            MidStream.assertAll(job.get());
            assertEndedBy(policy, ends);
            assertEquals(policy == LostPolicy.STOCK, cluster.executors().fallbacks() > 0);
            assertStreamedAgain(cluster);
            cluster.assertNothingIsLeft();
        }
    }

    private static SparkConf conf(Relay rpc, Relay blocks, Relay results) {
        return Cluster.conf(Cluster.TWO_EXECUTORS)
                .set("spark.driver.host", Relay.OUTSIDE)
                .set("spark.driver.bindAddress", Relay.INSIDE)
                .set("spark.driver.port", rpc.port())
                .set("spark.driver.blockManager.port", blocks.port())
                .set(Settings.DRIVER_PORT, results.port());
    }

    private static void assertEndedBy(LostPolicy policy, BlockingQueue<SparkListenerTaskEnd> ends) {
        List<TaskEndReason> reasons = new ArrayList<>();
        Cluster.await("three tasks did not succeed", () -> {
            for (SparkListenerTaskEnd end = ends.poll(); end != null; end = ends.poll()) {
                reasons.add(end.reason());
            }
            return reasons.stream().filter(Success$.class::isInstance).count() == 3;
        });
        reasons.removeIf(Success$.class::isInstance);
        Class<?> wanted = policy == LostPolicy.KILL ? TaskKilled.class : ExceptionFailure.class;
        assertEquals(policy == LostPolicy.STOCK, reasons.isEmpty(), reasons::toString);
        assertTrue(reasons.stream().allMatch(wanted::isInstance), reasons::toString);
    }

    private static void assertStreamedAgain(Cluster cluster) {
        long received = cluster.received();
        Cluster.await("no result was streamed", () -> {
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
            return cluster.received() - received >= 4;
        });
        assertEquals(2, cluster.receiver().server().connections());
    }
}
