// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process that {@link Compare} starts; what it says goes to a log beside it. */
final class ChildJvm implements AutoCloseable {

    /** Who has used so little in so long stands still: whoever was to go on has died of too small a heap. */
    private static final long STILL_NANOS = Duration.ofMinutes(1).toNanos();

    private static final Duration LITTLE = Duration.ofSeconds(4);

    private final Process process;
    private final BufferedReader answers;

    private ChildJvm(Process process) {
        this.process = process;
        this.answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /** What both sides' JVMs are told of G1's regions; may be empty. */
    static String region() {
        String region = System.getProperty("tailrace.spark.region", "");
        return region.isEmpty() ? "" : "-XX:G1HeapRegionSize=" + region;
    }

    static File log() {
        return new File(System.getProperty("java.io.tmpdir"), "compare.log");
    }

    /** A driver, which is {@link Application}. */
    static ChildJvm application(int mebibytes, Way way, String master, int executorMebibytes, int tasks)
            throws IOException {
        List<String> options = new ArrayList<>(List.of("-Xmx" + mebibytes + "m"));
        if (!region().isEmpty()) {
            options.add(region());
        }
        options.addAll(List.of(System.getProperty("tailrace.spark.opens").trim().split("\\s+")));
        for (String key : List.of(
                "tailrace.spark.jar",
                "tailrace.spark.tests",
                "tailrace.spark.region",
                "tailrace.spark.conf",
                "java.io.tmpdir")) {
            options.add("-D" + key + "=" + System.getProperty(key, ""));
        }
        String classes =
                System.getProperty("tailrace.spark.jar") + ":" + System.getProperty("tailrace.spark.tests") + ":";
        return start(
                options,
                classes,
                Application.class.getName(),
                way.name(),
                master,
                executorMebibytes + "m",
                String.valueOf(tasks));
    }

    /** One of Spark's own, with Spark's jars behind these classes. */
    static ChildJvm start(List<String> options, String classes, String main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classes + System.getenv("SPARK_HOME") + "/jars/*", main));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log()));
        builder.environment().remove("SPARK_LOCAL_IP");
        return new ChildJvm(builder.start());
    }

    /** Waits for an application to run a load; returns the nanoseconds. */
    long run(Load load) {
        try {
            process.outputWriter(StandardCharsets.UTF_8)
                    .append(load.name())
                    .append('\n')
                    .flush();
            String answer = answers.readLine();
            if (answer == null) {
                throw new IOException(load + " was not collected: see " + log());
            }
            return Long.parseLong(answer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether an application runs a load and ends well, within so much time of the processors, and never standing still. */
    boolean succeeds(Load load, Duration most) throws IOException, InterruptedException {
        try (var asked = process.outputWriter(StandardCharsets.UTF_8)) {
            asked.append(load.name()).append('\n');
        }
        Duration before = Duration.ZERO;
        long looked = System.nanoTime();
        while (!process.waitFor(500, TimeUnit.MILLISECONDS)) {
            Duration now = used();
            if (now.compareTo(most) > 0) {
                return false;
            }
            if (System.nanoTime() - looked > STILL_NANOS) {
                if (now.minus(before).compareTo(LITTLE) < 0) {
                    return false;
                }
                before = now;
                looked = System.nanoTime();
            }
        }
        return process.exitValue() == 0;
    }

    private Duration used() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .flatMap(handle -> handle.info().totalCpuDuration().stream())
                .reduce(Duration.ZERO, Duration::plus);
    }

    /** Ends it, and what it has started. */
    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
