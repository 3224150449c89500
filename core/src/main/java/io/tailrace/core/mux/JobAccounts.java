// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.mux;

import io.tailrace.core.wire.ResultId;
import io.tailrace.core.wire.ResultTooLargeException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of results that each job may bring home, which engines call the largest result size: accepted ones, and what has
 * come so far of others.
 *
 * <p>A job takes memory while anything of it is counted, open or set. What was kept is counted until the job is
 * {@linkplain #forget forgotten}.
 *
 * <p><b>Threads.</b> Any thread calls anything. A job's sum is one atomic number that moves by compare-and-set from one
 * allowed sum to another, so it exceeds the limit at no time; what is refused did not fit beside what was counted at that
 * moment. The table of jobs changes only in its map's own atomic steps.
 */
public final class JobAccounts {

    private static final long ENDED = -1;

    private final ConcurrentHashMap<String, Job> jobs = new ConcurrentHashMap<>();
    private final long maxBytesPerJob;

    /** @param maxBytesPerJob for each job without a {@linkplain #limit limit} of its own; Long.MAX_VALUE for no limit */
    public JobAccounts(long maxBytesPerJob) {
        this.maxBytesPerJob = notNegative(maxBytesPerJob);
    }

    /** Sets one job's limit. Below what is counted already, it refuses every further byte and takes nothing back. */
    public void limit(String job, long bytes) {
        notNegative(bytes);
        jobs.compute(job, (name, known) -> {
            Job set = known == null ? new Job(name, bytes) : known;
            set.limit = bytes;
            set.hasOwnLimit = true;
            return set;
        });
    }

    /**
     * Begins to count an attempt's bytes. A declaration reserves nothing: it is the sender's word.
     *
     * @param declared bytes it will have, negative if unknown
     * @throws ResultTooLargeException when these do not fit in what is left now; there is no account then
     */
    public Account open(ResultId id, long declared) throws ResultTooLargeException {
        Job job = hold(id.job());
        long counted = job.counted.get();
        if (declared >= 0 && !job.fits(counted, declared)) {
            release(job);
            throw job.tooLarge("declared bytes exceed what is left to the job", counted, declared, id);
        }
        return new Account(job, id);
    }

    /**
     * Counts a result that did not come as a stream.
     *
     * @throws ResultTooLargeException when the job's sum would exceed its limit; nothing is counted then
     */
    public void addInline(String name, long bytes) throws ResultTooLargeException {
        notNegative(bytes);
        Job job = hold(name);
        try {
            job.take(bytes, null);
        } finally {
            release(job);
        }
    }

    /** Gives back what {@link #addInline} counted. Of a job forgotten since there is nothing to give back. */
    public void refundInline(String name, long bytes) {
        notNegative(bytes);
        jobs.computeIfPresent(name, (same, job) -> {
            job.give(bytes);
            return job.unlessIdle();
        });
    }

    /** Bytes counted for a job now. */
    public long counted(String job) {
        Job known = jobs.get(job);
        return known == null ? 0 : known.counted.get();
    }

    /** Jobs that take memory. */
    public int jobs() {
        return jobs.size();
    }

    /**
     * Drops a job's sum and limit. Accounts open now go on within its old sum, which nobody else sees; whatever opens
     * under that name later begins at zero.
     */
    public void forget(String job) {
        jobs.remove(job);
    }

    private Job hold(String name) {
        return jobs.compute(name, (same, known) -> {
            Job job = known == null ? new Job(name, maxBytesPerJob) : known;
            job.holders++;
            return job;
        });
    }

    private void release(Job job) {
        letGo(job, 1);
    }

    private void letGo(Job job, int holders) {
        jobs.computeIfPresent(job.name, (name, known) -> {
            if (known != job) {
                return known; // forgotten since, and begun anew
            }
            job.holders -= holders;
            return job.unlessIdle();
        });
    }

    private static long notNegative(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException(bytes + " bytes");
        }
        return bytes;
    }

    /** One job's sum. {@code holders} and {@code hasOwnLimit} change inside the map's steps alone. */
    private static final class Job {
        final String name;
        final AtomicLong counted = new AtomicLong();
        volatile long limit;
        boolean hasOwnLimit;
        long holders;

        Job(String name, long limit) {
            this.name = name;
            this.limit = limit;
        }

        /** Null if nothing of it is counted, open or set. */
        @Nullable
        Job unlessIdle() {
            return holders == 0 && !hasOwnLimit && counted.get() == 0 ? null : this;
        }

        /** As a difference: a sum could wrap. */
        boolean fits(long now, long bytes) {
            return bytes <= limit - now;
        }

        void take(long bytes, @Nullable ResultId id) throws ResultTooLargeException {
            long now = counted.get();
            while (fits(now, bytes)) {
                if (counted.compareAndSet(now, now + bytes)) {
                    return;
                }
                now = counted.get();
            }
            throw tooLarge("results of job '" + name + "' exceed its limit", now, bytes, id);
        }

        void give(long bytes) {
            counted.accumulateAndGet(bytes, (now, less) -> Math.max(0, now - less));
        }

        ResultTooLargeException tooLarge(String reason, long now, long bytes, @Nullable ResultId id) {
            long actual = bytes > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + bytes;
            return new ResultTooLargeException(reason, limit, actual, ResultTooLargeException.NONE, id);
        }
    }

    /**
     * One attempt's bytes among its job's. It ends with the first {@link #refund} or {@link #keep}; each call after that
     * changes nothing.
     *
     * <p><b>Threads.</b> Any thread adds and ends it: the bytes of an {@code add} that races with a refund are given back
     * by one of the two.
     */
    public final class Account {
        private final Job job;
        private final ResultId id;
        private final AtomicLong own = new AtomicLong();

        private Account(Job job, ResultId id) {
            this.job = job;
            this.id = id;
        }

        /**
         * Counts bytes that have come.
         *
         * @return false when the account has ended, and nothing is counted
         * @throws ResultTooLargeException when the job's sum would exceed its limit; nothing is counted then
         */
        public boolean add(long bytes) throws ResultTooLargeException {
            notNegative(bytes);
            if (own.get() == ENDED) {
                return false;
            }
            job.take(bytes, id);
            long now = own.get();
            while (now != ENDED) {
                if (own.compareAndSet(now, now + bytes)) {
                    return true;
                }
                now = own.get();
            }
            job.give(bytes);
            letGo(job, 0); // the end saw these bytes, and kept the job for them
            return false;
        }

        /** Gives all of it back: the attempt failed, was cancelled or superseded. */
        public void refund() {
            long bytes = own.getAndSet(ENDED);
            if (bytes != ENDED) {
                job.give(bytes);
                release(job);
            }
        }

        /** Leaves it counted: the attempt was accepted. */
        public void keep() {
            if (own.getAndSet(ENDED) != ENDED) {
                release(job);
            }
        }
    }
}
