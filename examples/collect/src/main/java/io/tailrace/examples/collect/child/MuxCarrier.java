// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect.child;

import io.tailrace.core.ResultSummary;
import io.tailrace.core.transport.ArrivingResult;
import io.tailrace.core.transport.ResultClient;
import io.tailrace.core.transport.ResultServer;
import io.tailrace.core.transport.TransportCounters;
import io.tailrace.examples.collect.work.Answer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The library's way over its transport: the results of all tasks that an executor runs at a time share one connection, each
 * with credit of its own, and the driver decodes rows of all of them as they arrive.
 *
 * <p><b>Threads.</b> Each task has a thread in the executor and, while it is folded, one in the driver; the meter's reads
 * the numbers.
 */
final class MuxCarrier implements Carrier {

    /** How long a result waits for credit in memory. */
    private static final Duration SPILL_AFTER = Duration.ofMillis(200);

    private static final long DISK_BYTES = 64L << 30;
    private static final long POLL_MILLIS = 5;
    private static final long FAREWELL_NANOS = 10_000_000_000L;

    private final Job job;
    private final byte[] secret;
    private final Encoding encoding;

    /** Sends and spills in an executor, folds in the driver. */
    private final ExecutorService threads = Executors.newCachedThreadPool();

    private volatile @Nullable ResultClient client;
    private volatile @Nullable ResultServer server;

    MuxCarrier(Job job, Child.Role role, byte[] secret) {
        this.job = job;
        this.secret = secret;
        this.encoding = new Encoding(job, role, threads);
    }

    /** An executor's end: any number of threads send at a time. */
    Sender sender(InetSocketAddress driver, String name, Meter meter) throws IOException {
        ResultClient.Builder builder = ResultClient.builder(encoding.encoder())
                .secret(secret)
                .name(name)
                .coalescingChunks(Job.SMALL_RESULTS);
        if (job.slowSeconds() > 0) {
            Path folder = Path.of(System.getProperty("java.io.tmpdir"), "spill");
            builder.spill(folder, DISK_BYTES, SPILL_AFTER, threads);
        }
        ResultClient connected = builder.connect(driver);
        client = connected;
        return new ToClient(connected, meter);
    }

    private final class ToClient implements Sender {

        private final ResultClient to;
        private final Meter meter;

        ToClient(ResultClient to, Meter meter) {
            this.to = to;
            this.meter = meter;
        }

        @Override
        public void send(int task) throws IOException {
            encoding.run(task, meter, to::open);
        }

        /** The task of a result on disk has ended; its result is the driver's only when that has accepted it. */
        @Override
        public void finish() throws IOException, InterruptedException {
            while (to.openResults() > 0) {
                Thread.sleep(POLL_MILLIS);
            }
            TransportCounters counters = to.counters();
            if (counters.resultsAccepted() < counters.resultsOpened()) {
                throw new IOException("the driver has accepted " + counters.resultsAccepted() + " results of "
                        + counters.resultsOpened());
            }
        }

        @Override
        public void close() {
            to.close();
            Report.SPILLED.say(to.counters().resultsSpilled());
        }
    }

    /** The driver's end: folds the results of all tasks. Returns the nanoseconds from the first connection to the last row. */
    long receive(InetSocketAddress address, Gathering gathering, Meter meter) throws IOException, InterruptedException {
        CountDownLatch awake = new CountDownLatch(1);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        try (ResultServer listening = ResultServer.builder(encoding.pool())
                .address(address)
                .secret(secret)
                .window(job.creditWindow())
                .sharedChunks(job.window())
                .limits(Gathering.LIMITS)
                .compression(encoding.compression())
                .maxDecoders(job.executors() * job.tasksAtOnce())
                .decodingOn(threads)
                .handler(result -> {
                    try {
                        awake.await();
                        fold(result, gathering, meter);
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                        throw e;
                    }
                })
                .start()) {
            server = listening;
            Report.PORT.say(((InetSocketAddress) listening.address()).getPort());
            long nanos = awaitAnswers(listening, gathering, meter, awake, failure);
            awaitFarewell(listening);
            return nanos;
        } finally {
            threads.shutdownNow();
            threads.awaitTermination(FAREWELL_NANOS, TimeUnit.NANOSECONDS);
        }
    }

    private static void fold(ArrivingResult result, Gathering gathering, Meter meter) throws IOException {
        Answer answer = gathering.fold(result.codecId(), result.payload());
        TaskMetrics metrics = TaskMetrics.read(result.trailer());
        ResultSummary summary = result.finish(); // until here nothing is certain
        gathering.complete(result.id().task(), answer, metrics);
        meter.addWireBytes(summary.wireBytes());
    }

    private long awaitAnswers(
            ResultServer listening,
            Gathering gathering,
            Meter meter,
            CountDownLatch awake,
            AtomicReference<@Nullable Throwable> failure)
            throws IOException, InterruptedException {
        while (listening.counters().connectionsOpened() == 0) {
            Thread.sleep(POLL_MILLIS);
        }
        long start = System.nanoTime();
        while (System.nanoTime() - start < job.slowSeconds() * 1e9) {
            meter.liveHeap().lookNowAndThen();
            Thread.sleep(POLL_MILLIS);
        }
        awake.countDown();
        while (gathering.size() < job.tasks()) {
            Throwable why = failure.get();
            if (why instanceof Error error) {
                throw error; // want of memory is told by the exit status
            }
            if (why != null) {
                throw new IOException("a result failed", why); // the first failure ends all
            }
            if (listening.counters().connectionsOpened() >= job.executors() && listening.connections() == 0) {
                break; // the answer will say what is missing
            }
            meter.liveHeap().lookNowAndThen();
            Thread.sleep(POLL_MILLIS);
        }
        return System.nanoTime() - start;
    }

    /** The executors go when they have been told of their last results. */
    private static void awaitFarewell(ResultServer listening) throws InterruptedException {
        long start = System.nanoTime();
        while (listening.connections() > 0 && System.nanoTime() - start < FAREWELL_NANOS) {
            Thread.sleep(POLL_MILLIS);
        }
    }

    @Override
    public long liveBytes() {
        return encoding.pool().liveBytes();
    }

    @Override
    public long peakLiveBytes() {
        return encoding.pool().peakLiveBytes();
    }

    @Override
    public long nettyBytes() {
        ResultClient sending = client;
        ResultServer receiving = server;
        return (sending == null ? 0 : sending.outsideBytes()) + (receiving == null ? 0 : receiving.outsideBytes());
    }

    @Override
    public long diskBytes() {
        ResultClient sending = client;
        return sending == null ? 0 : sending.spilledBytes();
    }

    @Override
    public long peakDiskBytes() {
        ResultClient sending = client;
        return sending == null ? 0 : sending.peakSpilledBytes();
    }

    /** A chunk that is not back by now is a leak, and the pool says whose. */
    @Override
    public void close() {
        threads.shutdown();
        encoding.pool().close();
    }
}
