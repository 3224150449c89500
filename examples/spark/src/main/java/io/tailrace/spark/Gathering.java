// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.DeterministicLevel;
import org.apache.spark.rdd.RDD;
import org.jspecify.annotations.Nullable;

/**
 * One job whose partitions come as streams of elements, and who takes them.
 *
 * <p>A partition is delivered by one attempt at a time; another one waits until that has ended, and is told that the partition is
 * complete, or goes on where it broke off.
 *
 * <p><b>Threads.</b> Decoding threads deliver, the job has a thread, and the consumer takes, all under one lock. Of each attempt two
 * batches are asked for, and another one when the consumer has taken one, so a consumer that stands still stops the executors.
 */
final class Gathering<T> implements ElementIterator<T> {

    /** What an attempt is told that is not needed any more; it has succeeded. */
    static final String COMPLETE = "another attempt has brought the partition";

    private static final int BATCHES_AHEAD = 2;
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final long number = NUMBERS.incrementAndGet();
    private final String tag = "tailrace-gathering-" + number;
    private final RDD<T> rdd;
    private final boolean whole;
    private final boolean ordered;
    private final Object lock = new Object();
    private final List<GatheredPartition> partitions = new ArrayList<>();
    private final Thread job = new Thread(this::runJob, tag);

    /** Partitions with a batch, one entry for each batch, where their order is of no account. */
    private final ArrayDeque<GatheredPartition> ready = new ArrayDeque<>();

    private @Nullable Receiver receiver;
    private @Nullable Throwable failure;
    private @Nullable List<Long> counts;
    private boolean closed;

    // The consumer's.
    private int current;
    private Iterator<Object> batch = List.of().iterator();

    private Gathering(RDD<T> rdd, boolean whole, boolean ordered) {
        this.rdd = rdd;
        this.whole = whole;
        this.ordered = ordered;
        for (int i = 0; i < rdd.getNumPartitions(); i++) {
            partitions.add(new GatheredPartition(i));
        }
    }

    /** Delivers partitions when they are whole, in their order. */
    static <T> Gathering<T> whole(RDD<T> rdd) {
        return new Gathering<>(rdd, true, true);
    }

    /** Delivers elements as they come. */
    static <T> Gathering<T> streaming(RDD<T> rdd, ElementOrder order) {
        return new Gathering<>(rdd, false, order == ElementOrder.BY_PARTITION);
    }

    long number() {
        return number;
    }

    /** Whether all that comes stays here, as Spark counts it. */
    boolean keepsAll() {
        return whole;
    }

    void start(Receiver from) {
        receiver = from;
        from.begin(this);
        job.setDaemon(true);
        job.start();
    }

    private void runJob() {
        SparkContext spark = rdd.sparkContext();
        List<Long> told = null;
        Throwable thrown = null;
        try {
            spark.addJobTag(tag);
            told = rdd.toJavaRDD().mapPartitions(new PartitionSender<>(number)).collect();
        } catch (Throwable e) {
            thrown = e;
        }
        Receiver from = receiver;
        if (from != null) {
            from.end(this);
        }
        synchronized (lock) {
            counts = told == null ? List.of() : told;
            fail(thrown);
        }
    }

    /** Keeps the first reason; the lock is held. */
    private void fail(@Nullable Throwable thrown) {
        if (failure == null) {
            failure = thrown;
        }
        lock.notifyAll();
    }

    /**
     * Takes an attempt's elements.
     *
     * @param cancel stops it, and tells its task why
     * @param ended told when it broke off, so that its bytes do not count
     */
    Attempt attempt(int partition, Consumer<String> cancel, Runnable ended) {
        return new Attempt(this, partition, cancel, ended);
    }

    @Override
    public boolean hasNext() {
        while (!batch.hasNext()) {
            List<Object> next = take();
            if (next == null) {
                return false;
            }
            batch = next.iterator();
        }
        return true;
    }

    @Override
    @SuppressWarnings("unchecked") // what the executors' iterators of T gave
    public T next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return (T) batch.next();
    }

    /** Waits; null at the end. */
    private @Nullable List<Object> take() {
        try {
            synchronized (lock) {
                while (true) {
                    if (failure != null) {
                        throw Rethrow.as(failure);
                    }
                    if (closed) {
                        throw new IllegalStateException("closed");
                    }
                    GatheredPartition from = nextReady();
                    if (from != null) {
                        return from.take(!whole);
                    }
                    if (counts != null) {
                        requireAll(counts);
                        return null;
                    }
                    lock.wait();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Rethrow.as(e);
        }
    }

    private @Nullable GatheredPartition nextReady() {
        if (!ordered) {
            return ready.poll();
        }
        while (current < partitions.size()) {
            GatheredPartition partition = partitions.get(current);
            if (partition.hasBatch()) {
                return partition;
            }
            if (!partition.isDone()) {
                return null;
            }
            current++;
        }
        return null;
    }

    /** What each task has counted is what came: a value's own end of file is no element's end. */
    private void requireAll(List<Long> told) {
        for (GatheredPartition partition : partitions) {
            long sent = told.get(partition.index());
            if (!partition.isDone() || (sent >= 0 && sent != partition.delivered())) {
                throw new IllegalStateException("partition " + partition.index() + " had " + sent
                        + " elements, of which " + partition.delivered() + " came");
            }
        }
    }

    @Override
    public void close() {
        boolean running;
        synchronized (lock) {
            running = counts == null;
            closed = true;
            lock.notifyAll();
        }
        if (running) {
            rdd.sparkContext().cancelJobsWithTag(tag);
        }
        List<Attempt> open = new ArrayList<>();
        synchronized (lock) {
            partitions.forEach(partition -> open.addAll(partition.giveUp()));
        }
        open.forEach(attempt -> attempt.stop("nobody takes its elements any more"));
    }

    /** Its turn; the lock is held. It fails where nobody knows which elements the consumer has had. */
    private void adopt(GatheredPartition partition, Attempt attempt) {
        if (partition.delivered() > 0 && !rdd.outputDeterministicLevel().equals(DeterministicLevel.DETERMINATE())) {
            fail(new IllegalStateException(
                    "an attempt of partition " + partition.index() + " broke off when " + partition.delivered()
                            + " of its elements were delivered, and another may have them in another order"));
        }
        partition.adopt(attempt);
        attempt.begin(partition.delivered(), BATCHES_AHEAD);
    }

    /** The lock is held. */
    private void put(GatheredPartition partition, List<Object> elements) {
        partition.put(elements);
        if (!ordered) {
            ready.add(partition);
        }
        lock.notifyAll();
    }

    /** An attempt begins; false when it is not needed. */
    boolean enter(int index, Attempt attempt) {
        synchronized (lock) {
            GatheredPartition partition = partitions.get(index);
            if (partition.isDone() || closed) {
                return false;
            }
            if (partition.isOwned()) {
                partition.await(attempt);
            } else {
                adopt(partition, attempt);
            }
            return true;
        }
    }

    /** Whether another batch may come at once; else when the consumer has taken this one. */
    boolean deliver(int index, Attempt attempt, List<Object> elements) {
        synchronized (lock) {
            GatheredPartition partition = partitions.get(index);
            if (!partition.isOwnedBy(attempt) || elements.isEmpty()) {
                return true;
            }
            if (whole) {
                attempt.keep(elements);
                return true;
            }
            put(partition, elements);
            return false;
        }
    }

    /** An attempt has brought all. */
    void complete(int index, Attempt attempt) {
        List<Attempt> late = new ArrayList<>();
        synchronized (lock) {
            GatheredPartition partition = partitions.get(index);
            if (partition.isOwnedBy(attempt)) {
                attempt.kept().forEach(batch -> put(partition, batch));
                late.addAll(partition.complete());
                lock.notifyAll();
            }
        }
        late.forEach(other -> other.stop(COMPLETE));
    }

    /** An attempt will bring no more. */
    void brokeOff(int index, Attempt attempt) {
        synchronized (lock) {
            GatheredPartition partition = partitions.get(index);
            partition.forget(attempt);
            if (partition.isOwnedBy(attempt)) {
                Attempt next = partition.next();
                if (next != null) {
                    adopt(partition, next);
                }
            }
        }
    }
}
