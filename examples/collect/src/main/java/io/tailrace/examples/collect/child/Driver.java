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

/** The driver: folds rows while they arrive, each executor's on a thread, or each result's where connections are shared. */
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
        long nanos = receive(port);
        Answer answer = gathering.answer();
        Report.SECONDS.say(nanos / 1e9);
        answer.lines().forEach(Report.ANSWER::say);
        List<String> expected =
                job.text() == null ? gathering.expected() : job.work().expected();
        Report.MATCHES.say(expected == null ? "null" : expected.equals(answer.lines()));
    }

    private long receive(int port) throws IOException, InterruptedException {
        if (carrier instanceof MuxCarrier mux) {
            return mux.receive(Executor.loopback(port), gathering, meter);
        }
        Carrier.OfChannels channels = (Carrier.OfChannels) carrier;
        long start = job.from().isEmpty() ? receive(channels, port) : readFiles(channels);
        return System.nanoTime() - start;
    }

    /** Returns when it began, as nanoTime tells it. */
    private long readFiles(Carrier.OfChannels channels) throws IOException {
        long start = System.nanoTime();
        for (String file : job.from()) {
            try (FileChannel channel = FileChannel.open(Path.of(file))) {
                channels.receive(channel, gathering, meter);
            } catch (IOException e) {
                throw new IOException(file + " cannot be read", e);
            }
        }
        return start;
    }

    /** Returns when the first executor connected, as nanoTime tells it. */
    private long receive(Carrier.OfChannels channels, int port) throws IOException, InterruptedException {
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
                    channels.receive(connection, gathering, meter);
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
