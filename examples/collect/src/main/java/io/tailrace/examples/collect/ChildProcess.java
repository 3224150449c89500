// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.examples.collect.child.Child;
import io.tailrace.examples.collect.child.Report;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A child JVM as its launcher sees it.
 *
 * <p><b>Threads.</b> A thread of its own reads the child's lines; the launcher's thread asks. Reports are kept under the
 * lock.
 */
final class ChildProcess {

    private final Child.Role role;
    private final int number;
    private final Path directory;
    private final Process process;
    private final Thread reader = new Thread(this::read);
    private boolean stopped;
    private final Map<Report, List<String>> reports = new EnumMap<>(Report.class);

    private ChildProcess(Child.Role role, int number, Path directory, Process process) {
        this.role = role;
        this.number = number;
        this.directory = directory;
        this.process = process;
        reader.setName(name());
        reader.setDaemon(true);
    }

    /** Starts a JVM of our own kind and class path, with its own temporary directory and a small heap. */
    static ChildProcess start(
            Child.Role role, int number, Path directory, ByteSize heap, byte[] secret, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heap.jvmOption(),
                "-XX:MaxDirectMemorySize=" + heap.jvmOption(),
                "-XX:+ExitOnOutOfMemoryError",
                "--add-opens=java.base/java.lang=ALL-UNNAMED", // text is taken in place
                "-Djava.io.tmpdir=" + directory,
                "--enable-native-access=ALL-UNNAMED", // LZ4's native library
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                role.name()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        ChildProcess child = new ChildProcess(role, number, directory, process);
        child.reader.start();
        child.tell(HexFormat.of().formatHex(secret));
        return child;
    }

    /** What a child must know and nobody else: standard input stays open behind it. */
    private void tell(String secret) throws IOException {
        try {
            process.getOutputStream().write((secret + "\n").getBytes(UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            if (isAlive()) {
                throw e;
            }
        }
    }

    Child.Role role() {
        return role;
    }

    /** How people call it. */
    String name() {
        return role == Child.Role.DRIVER ? "driver" : "executor " + number;
    }

    Path directory() {
        return directory;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Ended by itself, and not well. */
    boolean failed() {
        return !isAlive() && !stopped && process.exitValue() != 0;
    }

    boolean ranOutOfMemory() {
        return !isAlive() && process.exitValue() == Child.OUT_OF_MEMORY;
    }

    /** Kills it if it still runs; afterwards all that it ever said is here. */
    void end() throws InterruptedException {
        stopped |= process.isAlive();
        process.destroyForcibly().waitFor();
        reader.join();
    }

    /** Why it failed, in its own words if it had the time. */
    String failure() {
        String said = last(Report.FAILURE);
        if (ranOutOfMemory()) {
            return name() + " ran out of memory";
        }
        return name() + (said == null ? " ended with status " + process.exitValue() : ": " + said);
    }

    synchronized List<String> all(Report report) {
        return List.copyOf(reports.getOrDefault(report, List.of()));
    }

    synchronized @Nullable String last(Report report) {
        List<String> said = reports.get(report);
        return said == null ? null : said.get(said.size() - 1);
    }

    /** The last number reported, 0 before there is one. */
    long number(Report report) {
        String said = last(report);
        return said == null ? 0 : Long.parseLong(said);
    }

    private synchronized void keep(Report report, String text) {
        List<String> said = reports.computeIfAbsent(report, key -> new ArrayList<>());
        if (report == Report.PROGRESS || report == Report.MEMORY) {
            said.clear(); // only the last one counts, and there are many
        }
        said.add(text);
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                if (line.startsWith(Report.MARK) && space > 0) {
                    keep(Report.valueOf(line.substring(Report.MARK.length(), space)), line.substring(space + 1));
                } else {
                    System.err.println("[" + name() + "] " + line);
                }
            }
        } catch (IOException e) {
            if (isAlive()) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
