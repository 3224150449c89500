// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import io.tailrace.examples.collect.child.Child.Role;
import io.tailrace.examples.collect.child.Job;
import io.tailrace.examples.collect.child.Report;
import io.tailrace.examples.collect.work.LineItems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * One run of the job in one mode: starts driver and executors as JVMs of their own, shows progress, sums up, and leaves
 * neither process nor file behind, also when it is interrupted itself.
 *
 * <p><b>Threads.</b> One runs the job; at the JVM's end the shutdown hook's ends the children, whose list they share under its
 * lock. A child that is started behind the hook ends by itself when this JVM does.
 */
final class Launcher {

    /** How long the others may take to end by themselves after one child failed. */
    private static final Duration GRACE = Duration.ofSeconds(3);

    private static final long POLL_MILLIS = 20;

    private final Job job;
    private final ByteSize heap;
    private final int port;
    private final byte[] secret = new byte[32];
    private final List<ChildProcess> children = new ArrayList<>();

    Launcher(Job job, ByteSize heap, int port) {
        this.job = job;
        this.heap = heap;
        this.port = port;
        new SecureRandom().nextBytes(secret);
    }

    Summary run() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("tailrace-collect-");
        Thread hook = new Thread(() -> endAll(directory), "launcher end");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            job.save(directory.resolve("job"));
            startAll(directory);
            awaitAll();
            for (ChildProcess child : children) {
                child.end();
            }
            return Summary.of(job, heap, children);
        } finally {
            endAll(directory);
            Runtime.getRuntime().removeShutdownHook(hook);
        }
    }

    private void startAll(Path directory) throws IOException, InterruptedException {
        String driverPort = "0";
        if (job.to() == null) {
            ChildProcess driver = start(directory, Role.DRIVER, 0, Integer.toString(port));
            while (job.from().isEmpty() && driver.last(Report.PORT) == null) {
                if (!driver.isAlive()) {
                    return;
                }
                Thread.sleep(POLL_MILLIS);
            }
            driverPort = String.valueOf(driver.last(Report.PORT));
        }
        for (int i = 0; i < job.executors() && job.from().isEmpty(); i++) {
            start(directory, Role.EXECUTOR, i, driverPort);
        }
    }

    private ChildProcess start(Path directory, Role role, int number, String driverPort) throws IOException {
        Path own = Files.createDirectory(directory.resolve(role + "-" + number));
        ChildProcess child = ChildProcess.start(
                role,
                number,
                own,
                heap,
                secret,
                List.of(directory.resolve("job").toString(), "" + number, driverPort));
        synchronized (children) {
            children.add(child);
        }
        return child;
    }

    private void awaitAll() throws InterruptedException, IOException {
        boolean lines = job.text() != null;
        long total = lines ? Files.size(Path.of(job.text())) : LineItems.expectedRows(job.scale());
        long deadline = Long.MAX_VALUE;
        try (Progress progress = Progress.start(job.mode().toString(), total, lines ? " bytes" : " rows")) {
            while (children.stream().anyMatch(ChildProcess::isAlive) && System.nanoTime() < deadline) {
                if (deadline == Long.MAX_VALUE && children.stream().anyMatch(ChildProcess::failed)) {
                    deadline = System.nanoTime() + GRACE.toNanos();
                }
                Counts counts = Counts.of(children);
                progress.update(lines ? counts.payloadBytes() : counts.rows(), counts.payloadBytes());
                Thread.sleep(POLL_MILLIS);
            }
        }
    }

    private void endAll(Path directory) {
        try {
            synchronized (children) {
                for (ChildProcess child : children) {
                    child.end();
                }
            }
            delete(directory);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            System.err.println("cannot delete " + directory + ": " + e);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }
}
