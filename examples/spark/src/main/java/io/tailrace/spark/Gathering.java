// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
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
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Partition> partitions = new ArrayList<>();
    private final Thread job = new Thread(this::runJob, tag);

    /** Partitions with a batch, one entry for each. */
    private final ArrayDeque<Partition> ready = new ArrayDeque<>();

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
            partitions.add(new Partition(i));
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
        lock.lock();
        try {
            counts = told == null ? List.of() : told;
            fail(thrown);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Keeps the first reason; the lock is held. */
    private void fail(@Nullable Throwable thrown) {
        if (failure == null) {
            failure = thrown;
        }
        changed.signalAll();
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
        lock.lock();
        try {
            while (true) {
                if (failure != null) {
                    throw Rethrow.as(failure);
                }
                if (closed) {
                    throw new IllegalStateException("closed");
                }
                Partition from = nextReady();
                if (from != null) {
                    return from.take();
                }
                if (counts != null) {
                    requireAll(counts);
                    return null;
                }
                changed.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Rethrow.as(e);
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Partition nextReady() {
        if (!ordered) {
            return ready.poll();
        }
        while (current < partitions.size()) {
            Partition partition = partitions.get(current);
            if (!partition.inbox.isEmpty()) {
                return partition;
            }
            if (!partition.done) {
                return null;
            }
            current++;
        }
        return null;
    }

    /** What each task has counted is what came: a value's own end of file is no element's end. */
    private void requireAll(List<Long> told) {
        for (Partition partition : partitions) {
            long sent = told.get(partition.index);
            if (!partition.done || (sent >= 0 && sent != partition.delivered)) {
                throw new IllegalStateException("partition " + partition.index + " had " + sent + " elements, of which "
                        + partition.delivered + " came");
            }
        }
    }

    @Override
    public void close() {
        boolean running;
        lock.lock();
        try {
            running = counts == null;
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (running) {
            rdd.sparkContext().cancelJobsWithTag(tag);
        }
        Receiver from = receiver;
        if (from != null) {
            from.end(this);
        }
        List<Attempt> open = new ArrayList<>();
        lock.lock();
        try {
            partitions.forEach(partition -> partition.giveUp(open));
        } finally {
            lock.unlock();
        }
        open.forEach(attempt -> attempt.stop("nobody takes its elements any more"));
    }

    /** One partition's state; all of it under the lock. */
    private final class Partition {
        private final int index;
        private final ArrayDeque<List<Object>> inbox = new ArrayDeque<>();
        private final ArrayDeque<Attempt> waiting = new ArrayDeque<>();
        private @Nullable Attempt owner;
        private long delivered;
        private boolean done;

        Partition(int index) {
            this.index = index;
        }

        List<Object> take() {
            List<Object> taken = inbox.remove();
            if (owner != null && !whole) {
                owner.ask(1);
            }
            return taken;
        }

        /** What of an attempt's elements the consumer has had already; fails where nobody knows which these are. */
        long adopt(Attempt attempt) {
            if (delivered > 0 && !rdd.outputDeterministicLevel().equals(DeterministicLevel.DETERMINATE())) {
                fail(new IllegalStateException("an attempt of partition " + index + " broke off when " + delivered
                        + " of its elements were delivered, and another may have them in another order"));
            }
            owner = attempt;
            return delivered;
        }

        void put(List<Object> elements) {
            delivered += elements.size();
            inbox.add(elements);
            ready.add(this);
            changed.signalAll();
        }

        void giveUp(List<Attempt> into) {
            if (owner != null) {
                into.add(owner);
                owner = null;
            }
            into.addAll(waiting);
            waiting.clear();
        }
    }

    /** What an attempt calls, by partition. Each takes the lock. */
    boolean enter(int index, Attempt attempt) {
        lock.lock();
        try {
            Partition partition = partitions.get(index);
            if (partition.done || closed) {
                return false;
            }
            if (partition.owner == null) {
                attempt.begin(partition.adopt(attempt), BATCHES_AHEAD);
            } else {
                partition.waiting.add(attempt);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Whether another batch may come at once; else when the consumer has taken this one. */
    boolean deliver(int index, Attempt attempt, List<Object> elements) {
        lock.lock();
        try {
            Partition partition = partitions.get(index);
            if (partition.owner != attempt || elements.isEmpty()) {
                return true;
            }
            if (whole) {
                attempt.keep(elements);
                return true;
            }
            partition.put(elements);
            return false;
        } finally {
            lock.unlock();
        }
    }

    void complete(int index, Attempt attempt) {
        List<Attempt> late = new ArrayList<>();
        lock.lock();
        try {
            Partition partition = partitions.get(index);
            if (partition.owner == attempt) {
                attempt.kept().forEach(partition::put);
                partition.done = true;
                partition.giveUp(late);
                late.remove(attempt);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        late.forEach(other -> other.stop(COMPLETE));
    }

    void brokeOff(int index, Attempt attempt) {
        lock.lock();
        try {
            Partition partition = partitions.get(index);
            partition.waiting.remove(attempt);
            if (partition.owner == attempt) {
                Attempt next = partition.waiting.poll();
                partition.owner = null;
                if (next != null) {
                    next.begin(partition.adopt(next), BATCHES_AHEAD);
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
