// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a child counts while it works. A thread of its own tells the launcher how far it is, and every
 * {@value #SAMPLE_MILLIS} ms writes the process's memory to the child's sample file.
 *
 * <p><b>Threads.</b> Working threads add; the meter's thread reads. Numbers may trail by a sample.
 */
final class Meter {

    static final int SAMPLE_MILLIS = 10;
    private static final int SAMPLES_PER_REPORT = 10;

    private final LongAdder rows = new LongAdder();
    private final LongAdder payloadBytes = new LongAdder();
    private final LongAdder wireBytes = new LongAdder();
    private final LiveHeap liveHeap = new LiveHeap();
    private final Carrier carrier;
    private final Thread thread = new Thread(this::run, "meter");
    private volatile boolean closed;
    private final List<BufferPoolMXBean> buffers = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class);
    private long peakNettyBytes;
    private long peakJdkBytes;

    /** Netty has the JDK make its buffers on some releases, which then counts them, and makes them past it on others. */
    private boolean nettyIsBesides;

    Meter(Carrier carrier) {
        this.carrier = carrier;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    void addRows(long more) {
        rows.add(more);
    }

    void addPayloadBytes(long more) {
        payloadBytes.add(more);
    }

    void addWireBytes(long more) {
        wireBytes.add(more);
    }

    LiveHeap liveHeap() {
        return liveHeap;
    }

    private void run() {
        try (SampleFile samples = new SampleFile(Path.of(System.getProperty("java.io.tmpdir")))) {
            for (int tick = 0; !closed; tick++) {
                long netty = carrier.nettyBytes();
                long jdk = jdkDirectBytes();
                peakNettyBytes = Math.max(peakNettyBytes, netty);
                peakJdkBytes = Math.max(peakJdkBytes, jdk);
                nettyIsBesides |= jdk < netty;
                samples.add(
                        carrier.liveBytes(), nettyIsBesides ? netty + jdk : jdk, liveHeap.last(), carrier.diskBytes());
                if (tick % SAMPLES_PER_REPORT == 0) {
                    report();
                }
                Thread.sleep(SAMPLE_MILLIS);
            }
        } catch (IOException | InterruptedException e) {
            Report.FAILURE.say("the meter ended: " + e);
        }
    }

    /** Direct buffers that the JDK counts. */
    private long jdkDirectBytes() {
        return buffers.stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private void report() {
        Report.PROGRESS.say(rows.sum() + " " + payloadBytes.sum() + " " + wireBytes.sum());
        Report.PEAK_LIVE.say(carrier.peakLiveBytes());
        Report.MEMORY.say(
                carrier.liveBytes() + " " + peakNettyBytes + " " + peakJdkBytes + " " + carrier.peakDiskBytes());
    }

    /** Tells the final numbers. */
    void finish() throws InterruptedException {
        closed = true;
        thread.join();
        liveHeap.look();
        report();
    }
}
