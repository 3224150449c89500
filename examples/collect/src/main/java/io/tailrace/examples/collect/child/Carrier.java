// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ReadableByteChannel;

/** The way results take from an executor to the driver; each child has one. */
sealed interface Carrier extends AutoCloseable permits TailraceCarrier, StockCarrier {

    static Carrier of(Job job) {
        return switch (job.mode()) {
            case TAILRACE -> new TailraceCarrier(job);
            case STOCK -> new StockCarrier(job);
        };
    }

    /** An executor's end of a connection. */
    interface Sender extends Closeable {

        /** Runs one task and sends its result. */
        void send(int task) throws IOException;
    }

    Sender sender(GatheringByteChannel channel, Meter meter) throws IOException;

    /** The driver's end of a connection: folds every result until the connection ends. */
    void receive(ReadableByteChannel channel, Gathering gathering, Meter meter) throws IOException;

    /** Serialised bytes held in this process. */
    long liveBytes();

    /** The most serialised bytes ever held in this process. */
    long peakLiveBytes();

    @Override
    void close();
}
