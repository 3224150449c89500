// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An executor: runs its share of the tasks, some at a time, and sends their results over one connection. */
final class Executor {

    private final Job job;
    private final Carrier carrier;
    private final Meter meter;

    Executor(Job job, Carrier carrier, Meter meter) {
        this.job = job;
        this.carrier = carrier;
        this.meter = meter;
    }

    void run(int number, int port) throws IOException, InterruptedException {
        String to = job.to();
        if (to != null) {
            long start = System.nanoTime();
            try (Carrier.Sender sender = ((TailraceCarrier) carrier).fileSender(to, meter)) {
                sendAll(sender, number);
            }
            Report.SECONDS.say((System.nanoTime() - start) / 1e9);
        } else if (carrier instanceof MuxCarrier mux) {
            try (Carrier.Sender sender = mux.sender(loopback(port), "executor " + number, meter)) {
                sendAll(sender, number);
                sender.finish();
            }
        } else {
            try (SocketChannel channel = SocketChannel.open(loopback(port));
                    Carrier.Sender sender = ((Carrier.OfChannels) carrier).sender(channel, meter)) {
                sendAll(sender, number);
            }
        }
    }

    private void sendAll(Carrier.Sender sender, int number) throws IOException, InterruptedException {
        long start = System.nanoTime();
        ExecutorService threads = Executors.newFixedThreadPool(job.tasksAtOnce());
        try {
            var running = new ExecutorCompletionService<@Nullable Void>(threads);
            int count = 0;
            for (int task = number; task < job.tasks(); task += job.executors()) {
                int each = task;
                running.submit(() -> send(sender, each));
                count++;
            }
            for (int i = 0; i < count; i++) {
                running.take().get(); // whichever ends first; the first failure ends all
            }
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(10, TimeUnit.SECONDS);
        }
        Report.TASKS_ENDED.say((System.nanoTime() - start) / 1e9);
    }

    private static @Nullable Void send(Carrier.Sender sender, int task) throws IOException {
        try {
            sender.send(task);
            return null;
        } catch (IOException e) {
            throw new IOException("task " + task + " failed", e);
        }
    }

    private static IOException failure(@Nullable Throwable cause) {
        if (cause instanceof Error error) {
            throw error; // want of memory is told by the exit status
        }
        return cause instanceof IOException known ? known : new IOException("a task failed", cause);
    }

    /** The loopback address by number: a name may resolve to another one. */
    static InetSocketAddress loopback(int port) throws IOException {
        return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
    }
}
