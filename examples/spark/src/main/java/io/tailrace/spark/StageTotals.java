// SPDX-License-Identifier: Apache-2.0
package io.tailrace.spark;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.spark.util.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of results by stage attempt, streamed and inline, held to {@code spark.driver.maxResultSize} as they come: Spark itself
 * counts tokens.
 *
 * <p><b>Threads.</b> Any: under one lock, held for a few additions.
 */
final class StageTotals {

    private static final class Total {
        long bytes;
        int tasks;
    }

    private final Object lock = new Object();
    private final long most;
    private final BiConsumer<StageAttempt, String> exceeded;
    private final Map<StageAttempt, Total> totals = new HashMap<>();

    /**
     * @param most 0 for no limit
     * @param exceeded told of each crossing, in Spark's words
     */
    StageTotals(long most, BiConsumer<StageAttempt, String> exceeded) {
        this.most = most;
        this.exceeded = exceeded;
    }

    /** Begins to count a task's bytes. */
    Account open(StageAttempt stage) {
        synchronized (lock) {
            totals.computeIfAbsent(stage, begun -> new Total()).tasks++;
        }
        return new Account(stage);
    }

    /** For what does not stay here. */
    static Account uncounted() {
        return new StageTotals(0, (stage, message) -> {}).open(new StageAttempt(-1, 0));
    }

    /** Counts a result that went Spark's own way. */
    void addInline(StageAttempt stage, long bytes) {
        Account account = open(stage);
        String message = account.take(bytes);
        if (message != null) {
            exceeded.accept(stage, message);
        }
    }

    /** Bytes counted of a stage attempt. */
    long bytes(StageAttempt stage) {
        synchronized (lock) {
            Total total = totals.get(stage);
            return total == null ? 0 : total.bytes;
        }
    }

    /** Forgets these stages: no job needs them any more. */
    void forget(Collection<Integer> stages) {
        synchronized (lock) {
            totals.keySet().removeIf(stage -> stages.contains(stage.stage()));
        }
    }

    /** What one task attempt brings. */
    final class Account {
        private final StageAttempt stage;
        private long own;
        private boolean refunded;

        private Account(StageAttempt stage) {
            this.stage = stage;
        }

        /** @throws MaxResultSizeException when these bytes are too many */
        void add(long bytes) {
            String message = take(bytes);
            if (message != null) {
                exceeded.accept(stage, message);
                throw new MaxResultSizeException(message);
            }
        }

        /** Returns what is to be told when the limit is crossed. */
        private @Nullable String take(long bytes) {
            synchronized (lock) {
                Total total = totals.get(stage);
                if (total == null || refunded) {
                    return null; // nobody waits for it: it is cancelled, or about to be
                }
                own += bytes;
                total.bytes += bytes;
                if (most == 0 || total.bytes <= most) {
                    return null;
                }
                return "Total size of serialized results of " + total.tasks + " tasks ("
                        + Utils.bytesToString(total.bytes) + ") is bigger than spark.driver.maxResultSize ("
                        + Utils.bytesToString(most) + ")";
            }
        }

        /** Gives all of it back, once: the attempt failed, was killed, or lost to another. */
        void refund() {
            synchronized (lock) {
                Total total = totals.get(stage);
                if (total != null && !refunded) {
                    total.bytes -= own;
                    total.tasks--;
                    if (total.tasks == 0) {
                        totals.remove(stage);
                    }
                }
                refunded = true;
            }
        }
    }
}
