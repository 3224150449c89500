// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ReadableByteChannel;

/** The way results take from an executor to the driver; each child has one. */
sealed interface Carrier extends AutoCloseable permits Carrier.OfChannels, MuxCarrier {

    static Carrier of(Job job, Child.Role role, byte[] secret) {
        if (job.multiplexed()) {
            return new MuxCarrier(job, role, secret);
        }
        return ofChannels(job);
    }

    private static OfChannels ofChannels(Job job) {
        return switch (job.mode()) {
            case TAILRACE -> new TailraceCarrier(job);
            case STOCK -> new StockCarrier(job);
        };
    }

    /** An executor's end of a connection. */
    interface Sender extends Closeable {

        /** Runs one task and sends its result. */
        void send(int task) throws IOException;

        /** Waits until all that was sent has left the process. */
        default void finish() throws IOException, InterruptedException {}
    }

    /** One result behind another on a channel of its own. */
    sealed interface OfChannels extends Carrier permits TailraceCarrier, StockCarrier {

        Sender sender(GatheringByteChannel channel, Meter meter) throws IOException;

        /** The driver's end of a connection: folds every result until the connection ends. */
        void receive(ReadableByteChannel channel, Gathering gathering, Meter meter) throws IOException;
    }

    /** Serialised bytes held in this process. */
    long liveBytes();

    /** The most serialised bytes ever held in this process. */
    long peakLiveBytes();

    /** Direct memory of Netty's in this process. */
    default long nettyBytes() {
        return 0;
    }

    /** Bytes of results now on disk. */
    default long diskBytes() {
        return 0;
    }

    /** The most bytes of results ever on disk at once. */
    default long peakDiskBytes() {
        return 0;
    }

    @Override
    void close();
}
