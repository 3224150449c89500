// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

/**
 * What one driver is asked to bear, and what it is given for it.
 *
 * @param rounds long results that each executor sends one after another; beside them, until the last, results of 1 KiB
 * @param bytes of a long result
 * @param decoders results that are decoded at once
 */
record Capacity(int executors, int rounds, int bytes, long budget, int chunk, int sharedChunks, int decoders) {

    static final int SMALL = 1 << 10;
    static final int WINDOW = 16;

    /** 10 Gbit/s each way, which all connections share. */
    static final long LINK_BYTES_PER_SECOND = 1_250_000_000;

    /** One way. */
    static final long LATENCY = 100 * Simulation.MICROS;

    static final long DECODED_BYTES_PER_SECOND = 400_000_000;

    /** What a piece that a decoding thread takes costs besides its bytes. */
    static final long DECODING_STEP = 2 * Simulation.MICROS;

    int chunks() {
        return (int) (budget / chunk);
    }

    /** As the server limits them. */
    int mostDecoded() {
        return Math.max(1, Math.min(decoders, (chunks() - chunks() / 4) / Arriving.LEAST_WINDOW));
    }

    int longResults() {
        return executors * rounds;
    }

    static long nanos(long bytes, long bytesPerSecond) {
        return bytes * 1_000_000_000 / bytesPerSecond;
    }

    MuxSettings server() {
        return settings("driver", WINDOW, sharedChunks, (long) Math.max(1, sharedChunks / 2) * chunk, 1);
    }

    static MuxSettings client(String name) {
        return settings(name, 1, 4, 0, 4);
    }

    private static MuxSettings settings(String name, int window, int shared, long initialCredit, int inside) {
        return new MuxSettings(
                name,
                window,
                shared,
                initialCredit,
                inside,
                0,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                MuxSettings.MANY_RESULTS);
    }
}
