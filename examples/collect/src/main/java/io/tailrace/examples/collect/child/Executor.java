// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;

/** An executor: runs its share of the tasks, one after another, and sends their results over one connection. */
final class Executor {

    private final Job job;
    private final Carrier carrier;
    private final Meter meter;

    Executor(Job job, Carrier carrier, Meter meter) {
        this.job = job;
        this.carrier = carrier;
        this.meter = meter;
    }

    void run(int number, int port) throws IOException {
        String to = job.to();
        if (to != null) {
            long start = System.nanoTime();
            try (Carrier.Sender sender = ((TailraceCarrier) carrier).fileSender(to, meter)) {
                sendAll(sender, number);
            }
            Report.SECONDS.say((System.nanoTime() - start) / 1e9);
            return;
        }
        try (SocketChannel channel = SocketChannel.open(loopback(port));
                Carrier.Sender sender = carrier.sender(channel, meter)) {
            sendAll(sender, number);
        }
    }

    private void sendAll(Carrier.Sender sender, int number) throws IOException {
        for (int task = number; task < job.tasks(); task += job.executors()) {
            try {
                sender.send(task);
            } catch (IOException e) {
                throw new IOException("task " + task + " failed", e);
            }
        }
    }

    /** The loopback address by number: a name may resolve to another one. */
    static InetSocketAddress loopback(int port) throws IOException {
        return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
    }
}
