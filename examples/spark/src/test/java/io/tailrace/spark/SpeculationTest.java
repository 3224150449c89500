// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaFutureAction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A standalone master with workers on two addresses of this host: Spark places no copy of a task where the task runs. */
@Full
@Tag("cluster")
final class SpeculationTest {

    @TempDir
    Path directory;

    private final List<Process> processes = new ArrayList<>();
    private int port;

    @BeforeEach
    void start() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        launch("org.apache.spark.deploy.master.Master", "--host 127.0.0.1 --webui-port 0 --port " + port);
        while (!listening()) {
            LockSupport.parkNanos(100_000_000);
        }
        for (int host = 1; host <= 2; host++) {
            launch(
                    "org.apache.spark.deploy.worker.Worker",
                    "--cores 1 --memory 1g --webui-port 0 --host 127.0.0." + host + " --work-dir "
                            + directory.resolve("work-" + host) + " spark://127.0.0.1:" + port);
        }
    }

    private boolean listening() {
        try (Socket open = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return open.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private void launch(String main, String options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getenv("SPARK_HOME") + "/jars/*",
                main));
        Collections.addAll(command, options.split(" "));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(directory.toFile(), "daemons.log")));
        builder.environment().remove("SPARK_LOCAL_IP");
        processes.add(builder.start());
    }

    @AfterEach
    void stop() throws InterruptedException {
        for (int i = processes.size() - 1; i >= 0; i--) {
            Process process = processes.get(i);
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITTEN", "READ"})
    void copyWinsOverATaskThatHasStreamedToo(MidStream.Where where) throws Exception {
        SparkConf conf = Cluster.conf("spark://127.0.0.1:" + port)
                .set("spark.speculation", "true")
                .set("spark.speculation.interval", "100ms")
                .set("spark.speculation.quantile", "0.5")
                .set("spark.speculation.multiplier", "1.1");
        try (Cluster cluster = Cluster.start(conf)) {
            cluster.executors();
            String in = directory.toString();
            JavaFutureAction<List<MidStream>> job = cluster.spark()
                    .parallelize(List.of(0, 1, 2), 3)
                    .map(partition -> MidStream.of(in, partition, where))
                    .collectAsync();
            assertEquals(
                    List.of(0, 1, 2),
                    job.get().stream().map(MidStream::partition).toList());
            MidStream.letGo(directory);
            while (cluster.receiver().server().openResults() > 0) {
                LockSupport.parkNanos(10_000_000);
            }
            cluster.settle();
            Values.assertBlocks(Values.blocks(cluster.spark(), 4, 32).collect(), 4, 32);
        }
    }
}
