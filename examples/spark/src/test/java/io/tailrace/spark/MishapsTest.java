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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkException;
import org.apache.spark.TaskEndReason;
import org.apache.spark.TaskKilled;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong in the middle of a result. */
@Tag("cluster")
final class MishapsTest {

    private static Cluster cluster;

    @TempDir
    Path directory;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(Cluster.conf(Cluster.TWO_EXECUTORS).set("spark.driver.maxResultSize", "20m"));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void nothingIsLeft() {
        awaitOpenResults(0);
        cluster.settle();
        assertEquals(0, cluster.executors().liveBytes());
    }

    private JavaRDD<MidStream> values(MidStream.Where where) {
        String in = directory.toString();
        return cluster.spark().parallelize(List.of(0, 1, 2), 3).map(partition -> MidStream.of(in, partition, where));
    }

    private static List<Integer> partitions(List<MidStream> values) {
        return values.stream().map(MidStream::partition).toList();
    }

    /** Why tasks ended, as Spark's listeners are told. */
    private static BlockingQueue<TaskEndReason> ends() {
        BlockingQueue<TaskEndReason> ends = new LinkedBlockingQueue<>();
        cluster.spark().sc().addSparkListener(new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd ended) {
                ends.add(ended.reason());
            }
        });
        return ends;
    }

    private static void awaitKill(BlockingQueue<TaskEndReason> ends) throws InterruptedException {
        TaskEndReason end;
        do {
            end = ends.poll(10, TimeUnit.SECONDS);
            assertNotNull(end, "no task was killed within 10 s");
        } while (!(end instanceof TaskKilled));
    }

    private static void awaitOpenResults(int number) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (cluster.receiver().server().openResults() != number) {
            assertTrue(System.nanoTime() < deadline, "open results are not " + number);
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void taskOfAnExecutorThatWasKilledIsRunAgain() throws Exception {
        JavaFutureAction<List<MidStream>> job = values(MidStream.Where.WRITTEN).collectAsync();
        ProcessHandle.of(MidStream.process(directory)).orElseThrow().destroyForcibly();
        assertEquals(List.of(0, 1, 2), partitions(job.get()));
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
        BlockingQueue<TaskEndReason> ends = ends();
        JavaFutureAction<List<Endless>> job = cluster.spark()
                .parallelize(List.of(0), 1)
                .map(i -> new Endless(5))
                .collectAsync();
        awaitOpenResults(1);
        job.cancel(true); // which tells the task by its flag alone
        awaitKill(ends);
    }

    @Test
    void killedTaskStopsWhileItWaitsForTheDriver() throws Exception {
        BlockingQueue<TaskEndReason> ends = ends();
        JavaFutureAction<List<MidStream>> job = values(MidStream.Where.READ).collectAsync();
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
