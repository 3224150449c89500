// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.handoff;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A piece of work on a thread of its own, whose result or failure can be had. */
final class Aside<T> {
    private static final int PATIENCE_SECONDS = 30;

    private final CompletableFuture<T> result = new CompletableFuture<>();
    private final Thread thread;

    private Aside(String name, Callable<T> work) {
        thread = new Thread(
                () -> {
                    try {
                        result.complete(work.call());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                },
                name);
        thread.setDaemon(true);
    }

    static <T> Aside<T> run(String name, Callable<T> work) {
        Aside<T> aside = new Aside<>(name, work);
        aside.thread.start();
        return aside;
    }

    /** Started, and gone to sleep for no given time. */
    static <T> Aside<T> parked(String name, Callable<T> work) throws InterruptedException {
        Aside<T> aside = run(name, work);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (aside.thread.getState() != Thread.State.WAITING) {
            if (System.nanoTime() - deadline > 0 || !aside.thread.isAlive()) {
                throw new AssertionError(name + " does not sleep: " + aside.thread.getState());
            }
            Thread.sleep(1);
        }
        return aside;
    }

    Thread thread() {
        return thread;
    }

    /** What the work returned; what it threw is the cause of the ExecutionException. */
    T get() throws InterruptedException, ExecutionException {
        try {
            return result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            AssertionError hangs = new AssertionError(thread + " hangs, " + thread.getState(), e);
            hangs.setStackTrace(thread.getStackTrace());
            throw hangs;
        }
    }
}
