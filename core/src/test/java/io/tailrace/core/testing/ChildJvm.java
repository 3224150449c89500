// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A process of this JVM's kind that runs a main class of the tests, with a directory of its own for all it leaves.
 *
 * <p>It may be talked to: what is said to it comes from its standard input, and what it prints can be awaited line by line
 * while it runs. Closing kills it.
 */
public final class ChildJvm implements AutoCloseable {

    private final Process process;
    private final Path directory;
    private final Path output;
    private int linesAwaited;

    private ChildJvm(Process process, Path directory, Path output) {
        this.process = process;
        this.directory = directory;
        this.output = output;
    }

    public static Builder of(Class<?> main, Path directory) {
        return new Builder(main, directory);
    }

    /** Waits for its end and returns what it printed; fails when it did not exit with 0. */
    public List<String> lines(Duration longest) throws IOException, InterruptedException {
        boolean ended = process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS);
        List<String> lines = Files.readAllLines(output);
        if (!ended || process.exitValue() != 0) {
            throw new AssertionError(
                    (ended ? "exit " + process.exitValue() : "still runs") + ":\n" + String.join("\n", lines));
        }
        return lines;
    }

    /** What it printed behind {@code name=}, as a number. */
    public static long number(List<String> lines, String name) {
        for (String line : lines) {
            if (line.startsWith(name + "=")) {
                return Long.parseLong(line.substring(name.length() + 1));
            }
        }
        throw new AssertionError("no " + name + " in:\n" + String.join("\n", lines));
    }

    /** Its temporary directory. */
    public Path directory() {
        return directory;
    }

    /** Gives it a line to read. */
    public void say(String line) throws IOException {
        OutputStream input = process.getOutputStream();
        input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        input.flush();
    }

    /** Waits for the next line that begins so, behind the one awaited last; fails when it ends without. */
    public String await(String beginning, Duration longest) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        while (true) {
            boolean last = !process.isAlive() || System.nanoTime() > deadline;
            String text = Files.readString(output, StandardCharsets.ISO_8859_1);
            String[] lines = text.split("\n", -1); // behind the last line's end is nothing, or a line not yet whole
            while (linesAwaited < lines.length - 1) {
                String line = lines[linesAwaited++];
                if (line.startsWith(beginning)) {
                    return line;
                }
            }
            if (last) {
                throw new AssertionError((process.isAlive() ? "still runs" : "exit " + process.exitValue())
                        + " without \"" + beginning + "\":\n" + text);
            }
            Thread.sleep(2);
        }
    }

    /** Kills it, as {@code kill -9} does, and waits until it is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** How it is started. */
    public static final class Builder {
        private final Class<?> main;
        private final Path directory;
        private final List<String> options = new ArrayList<>();
        private String shell = "";

        private Builder(Class<?> main, Path directory) {
            this.main = main;
            this.directory = directory;
        }

        public Builder options(String... jvmOptions) {
            Collections.addAll(options, jvmOptions);
            return this;
        }

        /** A shell's command in front, such as ulimit. */
        public Builder after(String command) {
            shell = command;
            return this;
        }

        public ChildJvm start(String... arguments) throws IOException {
            Path own = Files.createTempDirectory(directory, main.getSimpleName().toLowerCase(Locale.ROOT));
            Path output = own.resolve("output");
            List<String> command = new ArrayList<>();
            if (!shell.isEmpty()) {
                Collections.addAll(command, "/bin/sh", "-c", shell + "; exec \"$@\"", "sh");
            }
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.add("-Djava.io.tmpdir=" + own);
            command.add("-XX:-UsePerfData");
            command.add("-XX:+UseSerialGC");
            command.add("-ea");
            command.addAll(options);
            command.add("-cp");
            command.add(System.getProperty("java.class.path"));
            command.add(main.getName());
            Collections.addAll(command, arguments);
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            return new ChildJvm(process, own, output);
        }
    }
}
