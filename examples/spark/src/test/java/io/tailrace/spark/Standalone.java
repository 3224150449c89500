// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A standalone master with two workers on two addresses of this host: Spark places no copy of a task where the task runs. */
final class Standalone implements AutoCloseable {

    private final Path directory;
    private final List<Process> processes = new ArrayList<>();
    private int port;

    private Standalone(Path directory) {
        this.directory = directory;
    }

    /**
     * @param cores of each worker
     * @param memory of each, for executors
     */
    static Standalone start(Path directory, int cores, String memory) throws IOException {
        Standalone started = new Standalone(directory);
        try {
            started.launch(cores, memory);
        } catch (Throwable e) {
            started.close();
            throw e;
        }
        return started;
    }

    private void launch(int cores, String memory) throws IOException {
        port = freePort();
        int pages = freePort();
        launch("org.apache.spark.deploy.master.Master", "--host 127.0.0.1 --webui-port " + pages + " --port " + port);
        Cluster.await("no master", this::isListening);
        for (int host = 1; host <= 2; host++) {
            launch(
                    "org.apache.spark.deploy.worker.Worker",
                    "--memory " + memory + " --webui-port 0 --cores " + cores + " --host 127.0.0." + host
                            + " --work-dir " + directory.resolve("work-" + host) + " " + url());
        }
        Cluster.await("no two workers", () -> hasTwoWorkers(pages));
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    /** Else an application's executors could be on one worker alone. */
    private static boolean hasTwoWorkers(int pages) {
        try (InputStream page =
                URI.create("http://127.0.0.1:" + pages + "/json/").toURL().openStream()) {
            return new String(page.readAllBytes(), StandardCharsets.UTF_8)
                    .replace(" ", "")
                    .contains("\"aliveworkers\":2");
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isListening() {
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
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("daemons.log").toFile()));
        builder.environment().remove("SPARK_LOCAL_IP");
        processes.add(builder.start());
    }

    /** What {@code spark.master} is to be. */
    String url() {
        return "spark://127.0.0.1:" + port;
    }

    @Override
    public void close() {
        for (int i = processes.size() - 1; i >= 0; i--) {
            Process process = processes.get(i);
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().onExit().join();
        }
    }
}
