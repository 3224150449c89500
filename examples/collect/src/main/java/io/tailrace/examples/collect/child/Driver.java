// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.examples.collect.work.Answer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** The driver: one decoding thread for each executor's connection folds the rows while they arrive. */
final class Driver {

    private final Job job;
    private final Carrier carrier;
    private final Meter meter;
    private final Gathering gathering;

    Driver(Job job, Carrier carrier, Meter meter) {
        this.job = job;
        this.carrier = carrier;
        this.meter = meter;
        this.gathering = new Gathering(meter);
    }

    void run(int port) throws IOException, InterruptedException {
        long start;
        if (job.from().isEmpty()) {
            start = receive(port);
        } else {
            start = System.nanoTime();
            readFiles();
        }
        Answer answer = gathering.answer();
        Report.SECONDS.say((System.nanoTime() - start) / 1e9);
        answer.lines().forEach(Report.ANSWER::say);
        List<String> expected =
                job.text() == null ? gathering.expected() : job.work().expected();
        Report.MATCHES.say(expected == null ? "null" : expected.equals(answer.lines()));
    }

    private void readFiles() throws IOException {
        for (String file : job.from()) {
            try (FileChannel channel = FileChannel.open(Path.of(file))) {
                carrier.receive(channel, gathering, meter);
            } catch (IOException e) {
                throw new IOException(file + " cannot be read", e);
            }
        }
    }

    /** Returns when the first executor connected, as nanoTime tells it. */
    private long receive(int port) throws IOException, InterruptedException {
        List<SocketChannel> connections = new ArrayList<>();
        ExecutorService decoders = Executors.newFixedThreadPool(job.executors());
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(Executor.loopback(port), job.executors());
            Report.PORT.say(server.socket().getLocalPort());
            var decoding = new ExecutorCompletionService<@Nullable Void>(decoders);
            long start = 0;
            for (int i = 0; i < job.executors(); i++) {
                SocketChannel connection = server.accept();
                start = i == 0 ? System.nanoTime() : start;
                connections.add(connection);
                decoding.submit(() -> {
                    carrier.receive(connection, gathering, meter);
                    return null;
                });
            }
            for (int i = 0; i < job.executors(); i++) {
                decoding.take().get(); // whichever ends first; the first failure ends all
            }
            return start;
        } catch (ExecutionException e) {
            throw new IOException("a connection failed", e.getCause());
        } finally {
            for (SocketChannel connection : connections) {
                connection.close();
            }
            decoders.shutdown();
        }
    }
}
