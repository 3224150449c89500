// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkException;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong in the middle of a result. */
@Tag("cluster")
@ExtendWith(SharedCluster.class)
final class MishapsTest {

    private final Cluster cluster;

    @TempDir
    Path directory;

    MishapsTest(Cluster cluster) {
        this.cluster = cluster;
    }

    private JavaFutureAction<List<MidStream>> collect(MidStream.Where where) {
        return MidStream.values(cluster.spark(), directory, where).collectAsync();
    }

    private static void awaitKill(BlockingQueue<SparkListenerTaskEnd> ends) throws InterruptedException {
        SparkListenerTaskEnd end;
        do {
            end = ends.poll(10, TimeUnit.SECONDS);
            assertNotNull(end, "no task was killed within 10 s");
        } while (!(end.reason() instanceof TaskKilled));
    }

    @Test
    void taskOfAnExecutorThatWasKilledIsRunAgain() throws Exception {
        JavaFutureAction<List<MidStream>> job = collect(MidStream.Where.WRITTEN);
        ProcessHandle.of(MidStream.process(directory)).orElseThrow().destroyForcibly();
        MidStream.assertAll(job.get());
    }

    @Test
    void valueOfAnExecutorThatWasKilledBeforeItsTokenCameIsSwept() throws Exception {
        long swept = cluster.receiver().meters().swept().getCount();
        JavaFutureAction<List<MidStream>> job = collect(MidStream.Where.ACCEPTED);
        long process = MidStream.process(directory);
        assertTrue(cluster.receiver().arrivals().unclaimed() > 0);
        ProcessHandle.of(process).orElseThrow().destroyForcibly();
        MidStream.assertAll(job.get());
        cluster.settle();
        assertEquals(1, cluster.receiver().meters().swept().getCount() - swept);
    }

    @Test
    void resultsAboveTheLargestSizeAbortTheJobInSparksWords() throws Exception {
        Values.assertBlocks(Values.blocks(cluster.spark(), 4, 64).collect(), 4, 64);
        JavaRDD<byte[]> tooLarge = Values.blocks(cluster.spark(), 8, 64);
        for (int i = 0; i < 2; i++) {
            SparkException thrown = assertThrows(SparkException.class, tooLarge::collect);
            String wanted = "Job aborted due to stage failure: Total size of serialized results of \\d tasks"
                    + " \\(20\\.\\d MiB\\) is bigger than spark\\.driver\\.maxResultSize \\(20\\.0 MiB\\)(?s:.*)";
            assertTrue(thrown.getMessage().matches(wanted), thrown.getMessage());
        }
        Values.assertBlocks(Values.blocks(cluster.spark(), 4, 64).collect(), 4, 64);
    }

    @Test
    void resultThatIsTooLargeByItselfIsRefusedInMidStream() throws Exception {
        JavaRDD<Endless> endless = cluster.spark().parallelize(List.of(0), 1).map(i -> new Endless(0));
        SparkException thrown = assertThrows(SparkException.class, endless::collect);
        assertTrue(thrown.getMessage().contains("bigger than spark.driver.maxResultSize"), thrown.getMessage());
    }

    @Test
    void killedTaskStopsWithinAChunk() throws Exception {
        BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
        JavaFutureAction<List<Endless>> job = cluster.spark()
                .parallelize(List.of(0), 1)
                .map(i -> new Endless(5))
                .collectAsync();
        Cluster.await("no result began", () -> cluster.receiver().server().openResults() == 1);
        job.cancel(true); // which tells the task by its flag alone
        awaitKill(ends);
    }

    @Test
    void killedTaskStopsWhileItWaitsForTheDriver() throws Exception {
        BlockingQueue<SparkListenerTaskEnd> ends = cluster.ends();
        JavaFutureAction<List<MidStream>> job = collect(MidStream.Where.READ);
        MidStream.process(directory);
        job.cancel(true);
        try {
            awaitKill(ends); // the driver stands still
        } finally {
            MidStream.letGo(directory);
        }
        CompletableFuture<Integer> next = CompletableFuture.supplyAsync(
                () -> Values.blocks(cluster.spark(), 4, 32).collect().size());
        assertEquals(128, next.get(30, TimeUnit.SECONDS));
    }
}
